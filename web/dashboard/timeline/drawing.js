/** The picture of a day: the music, what was planned above what was heard, silences behind all of it. */

import { t, time } from "../../common/i18n.js";
import { now } from "../../common/live.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../common/view.js";
import { why } from "../plays/words.js";
import { ZOOMS, fateOf, marks, nearest, placed, runs, stretchOf } from "./day.js";

/** @typedef {import("./day.js").Item} Item */
/** @typedef {import("./page.js").Timeline} Timeline */
/** @typedef {{ start: number, end: number }} Span */

/** A finger's reach, in pixels. */
const REACH = 16;
/** From this width on there is room for words. */
const ROOM = 40;
/** How wide an announcement is drawn at least, and one whose sign says that it was not heard. */
const LEAST = 3;
const SIGN = 14;
/** A narrower track is drawn together with those around it. */
const NARROW = 8;

/** What becomes of an announcement, by shape and colour. @param {{ fate: import("./day.js").Fate }} props */
export function Fate({ fate }) {
  return html`
    <span class=${`timeline-fate ${fate}`} aria-hidden="true"></span>
  `;
}

/**
 * @param {{ data: Timeline, day: Span, zone: string, zoom: number, chosen: Item | null, onChoose: (item: Item | null)
 *   => void, onZoom: (zoom: number) => void }} props
 */
export function Drawing({ data, day, zone, zoom, chosen, onChoose, onZoom }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [view, setView] = useState({ left: 0, width: 1200 });
  const before = useRef(/** @type {number | null} */ (null));
  const scale = ZOOMS[zoom] / 3_600_000;
  const width = (day.end - day.start) * scale;

  const look = () => {
    const element = box.current;
    if (element) setView({ left: element.scrollLeft, width: element.clientWidth });
  };
  // What was in the middle stays there when one comes closer; at first it is now, or the forenoon.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const at = now.peek();
    const middle = before.current ?? (at > day.start && at < day.end ? at : day.start + 11 * 3_600_000);
    element.scrollLeft = (middle - day.start) * scale - element.clientWidth / 2;
    look();
  }, [zoom]);
  useEffect(() => {
    addEventListener("resize", look);
    return () => removeEventListener("resize", look);
  }, []);
  const scrolled = () => {
    const element = /** @type {HTMLElement} */ (box.current);
    before.current = day.start + (element.scrollLeft + element.clientWidth / 2) / scale;
    look();
  };

  const from = day.start + (view.left - view.width) / scale;
  const to = day.start + (view.left + 2 * view.width) / scale;
  const seen = (/** @type {number} */ start, /** @type {number} */ end) => end >= from && start <= to;
  const style = (/** @type {number} */ start, /** @type {number} */ end, least = 0) => {
    const { left, width: wide } = placed(day, zoom, start, end, least);
    return { left: `${left}px`, width: `${wide}px` };
  };
  const press = (/** @type {MouseEvent} */ event) => {
    const inside = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    onChoose(nearest(data.announcements, day.start + (event.clientX - inside.left) / scale, REACH / scale));
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "+" && zoom < ZOOMS.length - 1) onZoom(zoom + 1);
    else if (event.key === "-" && zoom > 0) onZoom(zoom - 1);
  };
  const shown = data.announcements
    .map((item) => ({ item, fate: fateOf(item), ...stretchOf(item) }))
    .filter((each) => seen(each.from, each.to));
  const heard = shown.filter(({ fate }) => fate === "heard" || fate === "sounding" || fate === "missed");
  const music = useMemo(
    () =>
      runs(
        data.segments.filter((segment) => segment.kind === "music"),
        NARROW / scale,
      ),
    [data, scale],
  );
  return html`
    <div class="timeline-frame">
      <div class="timeline-names" aria-hidden="true">
        <span>${t("timeline.lane_music")}</span>
        <span>${t("timeline.lane_planned")}</span>
        <span>${t("timeline.lane_heard")}</span>
      </div>
      <div
        class="timeline-scroll"
        ref=${box}
        tabindex="0"
        role="region"
        aria-label=${t("timeline.picture")}
        onScroll=${scrolled}
        onKeyDown=${keys}
      >
        <div class="timeline-day" style=${{ width: `${width}px` }} onClick=${press}>
          ${data.silences.map((silence) => {
            const [start, end] = [Date.parse(silence.starts_at), Date.parse(silence.ends_at)];
            return (
              seen(start, end) &&
              html`
                <div
                  key=${silence.starts_at + silence.reason}
                  class=${`timeline-silence ${silence.reason}`}
                  style=${style(start, end)}
                >
                  <span class="small">${t(`timeline.silence_${silence.reason}`)}</span>
                </div>
              `
            );
          })}
          ${marks(day, zoom)
            .filter((mark) => seen(mark, mark))
            .map(
              (mark) => html`
                <div key=${mark} class="timeline-mark" style=${{ left: `${(mark - day.start) * scale}px` }}>
                  <span class="small number">${time(mark, { zone })}</span>
                </div>
              `,
            )}
          ${music.map((run, index) => {
            if (!seen(run.from, run.to)) return null;
            const place = placed(day, zoom, run.from, run.to, 1);
            const words = run.tracks > 1 ? t("timeline.tracks", { n: run.tracks }) : run.title;
            return html`
              <div
                key=${run.from}
                class=${`timeline-music ${index % 2 ? "odd" : ""}`}
                style=${{ left: `${place.left}px`, width: `${place.width}px` }}
                title=${`${time(run.from, { zone })} ${words}`}
              >
                ${
                  place.width > ROOM &&
                  html`
                    <span class="cut strong">${words}</span>
                    ${
                      run.tracks === 1 &&
                      run.artist &&
                      html`
                        <span class="cut small">${run.artist}</span>
                      `
                    }
                  `
                }
              </div>
            `;
          })}
          ${shown.map(({ item, fate, from, to }) => {
            const due = Date.parse(item.at);
            const place = placed(day, zoom, due, due + (to - from || item.duration_ms), LEAST);
            return html`
              <div
                key=${`p${item.play_id}${item.outcome}${item.reason}`}
                class=${`timeline-item planned ${fate}${item === chosen ? " chosen" : ""}`}
                style=${{ left: `${place.left}px`, width: `${place.width}px` }}
                title=${`${time(due, { zone, seconds: true })} ${item.title}${item.reason ? `: ${why(item.reason, item.message)}` : ""}`}
              >
                ${
                  place.width > ROOM &&
                  html`
                    <span class="cut small">${item.title}</span>
                  `
                }
              </div>
            `;
          })}
          ${heard.map(({ item, fate, from, to }) => {
            const sign = fate === "missed" && zoom > 1;
            const place = placed(day, zoom, from, to, sign ? SIGN : LEAST);
            return html`
              <div
                key=${`h${item.play_id}${item.outcome}${item.reason}`}
                class=${`timeline-item heard ${fate}${item === chosen ? " chosen" : ""}`}
                style=${{ left: `${place.left}px`, width: `${place.width}px` }}
                title=${`${time(from, { zone, seconds: true })} ${item.title}`}
              >
                ${
                  sign
                    ? "×"
                    : place.width > ROOM &&
                      html`
                        <span class="cut small">${item.title}</span>
                      `
                }
              </div>
            `;
          })}
          <${NowLine} day=${day} scale=${scale} />
        </div>
      </div>
    </div>
  `;
}

/** Where one is: alone in moving each second. @param {{ day: Span, scale: number }} props */
function NowLine({ day, scale }) {
  const at = now.value;
  return (
    at > day.start &&
    at < day.end &&
    html`
      <div class="timeline-now" style=${{ left: `${(at - day.start) * scale}px` }}>
        <span class="small strong">${t("timeline.now")}</span>
      </div>
    `
  );
}
