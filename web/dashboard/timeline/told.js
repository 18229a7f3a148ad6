/** A day in words: one announcement, and all that sounds as a list. */

import { length, t, time } from "../../common/i18n.js";
import { devices } from "../../common/live.js";
import { Badge, Button, Card, IconButton, Table, Tabs } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { priorityInWords, why } from "../plays/words.js";
import { fateOf } from "./day.js";

/** @typedef {import("./day.js").Item} Item */
/** @typedef {import("./page.js").Timeline} Timeline */

const KINDS = /** @type {const} */ ({
  heard: "good",
  missed: "bad",
  coming: "plain",
  sounding: "accent",
  left_out: "warn",
});
/** Rows that are shown until one asks for all. */
const FEW = 25;

/** @param {{ item: Item }} props */
function FateBadge({ item }) {
  const fate = fateOf(item);
  return html`
    <${Badge} kind=${KINDS[fate]}>${t(`timeline.fate_${fate}`)}<//>
  `;
}

/** Who had it played: its schedule, or the kind. @param {Item} item */
const origin = (item) => item.schedule_name ?? priorityInWords(item.priority);

/** Why an announcement was not heard, and what it gave way to. @param {Item} item @param {Item[]} all */
function reasons(item, all) {
  const other = item.by && all.find((each) => each.play_id === item.by);
  return [item.reason && why(item.reason, item.message), other && t("timeline.by", { title: other.title })]
    .filter(Boolean)
    .join(" ");
}

/** @param {{ item: Item | null, all: Item[], zone: string, onClose: () => void }} props */
export function Detail({ item, all, zone, onClose }) {
  if (!item)
    return html`
      <p class="timeline-detail small quiet" aria-live="polite">${t("timeline.choose")}</p>
    `;
  const names = item.devices.map((id) => devices.value.get(id)?.name).filter(Boolean);
  const rows = [
    [t("timeline.due"), time(item.at, { zone, seconds: true })],
    item.starts_at &&
      item.starts_at !== item.at && [t("timeline.heard_at"), time(item.starts_at, { zone, seconds: true })],
    [t("timeline.length"), length(item.duration_ms)],
    [
      t("timeline.from"),
      item.schedule
        ? html`
            <a href=${`/schedules/${item.schedule}`}>${origin(item)}</a>
          `
        : origin(item),
    ],
    names.length > 0 && [t("timeline.speakers"), names.join(", ")],
    reasons(item, all) && [t("timeline.why"), reasons(item, all)],
  ].filter(Boolean);
  return html`
    <div class="timeline-detail" aria-live="polite">
      <div class="row apart">
        <div class="row">
          <h3>${item.title || origin(item)}</h3>
          <${FateBadge} item=${item} />
        </div>
        <${IconButton} icon="close" label=${t("timeline.close")} onClick=${onClose} />
      </div>
      <dl>
        ${rows.map(
          (row) =>
            row &&
            html`
              <div key=${row[0]} class=${row[0] === t("timeline.why") ? "wide" : ""}>
                <dt class="small quiet">${row[0]}</dt>
                <dd>${row[1]}</dd>
              </div>
            `,
        )}
      </dl>
    </div>
  `;
}

/** @param {{ data: Timeline, zone: string, onChoose: (item: Item) => void }} props */
export function AsList({ data, zone, onChoose }) {
  const [tab, setTab] = useState("announcements");
  const [whole, setWhole] = useState(false);
  const music = data.segments.filter((segment) => segment.kind === "music");
  const all = tab === "music" ? music : data.announcements;
  const rows = /** @type {any[]} */ (whole ? all : all.slice(0, FEW));
  const columns =
    tab === "music"
      ? [
          {
            key: "time",
            title: t("timeline.time"),
            cell: (/** @type {any} */ row) => html`
              <span class="number">${time(row.starts_at, { zone })}</span>${" "}
              <span class="small quiet">${t("timeline.until", { time: time(row.ends_at, { zone }) })}</span>
            `,
          },
          { key: "title", title: t("timeline.title"), cell: (/** @type {any} */ row) => row.title },
          { key: "artist", title: t("timeline.artist"), cell: (/** @type {any} */ row) => row.artist },
        ]
      : [
          {
            key: "time",
            title: t("timeline.time"),
            cell: (/** @type {Item} */ row) => html`
              <span class="number timeline-time">${time(row.at, { zone, seconds: true })}</span>
            `,
          },
          {
            key: "what",
            title: t("timeline.what"),
            cell: (/** @type {Item} */ row) => html`
              <button type="button" class="button plain small timeline-pick" onClick=${() => onChoose(row)}>
                ${row.title || origin(row)}
              </button>
            `,
          },
          { key: "from", title: t("timeline.from"), cell: origin },
          {
            key: "outcome",
            title: t("timeline.outcome"),
            cell: (/** @type {Item} */ row) => html`
              <${FateBadge} item=${row} />
            `,
          },
          { key: "why", title: t("timeline.why"), cell: (/** @type {Item} */ row) => reasons(row, data.announcements) },
        ];
  if (!data.announcements.length && !music.length) return null;
  return html`
    <${Card} title=${t("timeline.list")}>
      <${Tabs}
        label=${t("timeline.list")}
        current=${tab}
        onChoose=${setTab}
        tabs=${[
          { key: "announcements", text: `${t("timeline.announcements")} (${data.announcements.length})` },
          { key: "music", text: `${t("timeline.lane_music")} (${music.length})` },
        ]}
      />
      <${Table}
        label=${t("timeline.list")}
        rows=${rows}
        columns=${columns}
        keyOf=${(/** @type {any} */ row) => (row.play_id ? `${row.play_id} ${row.outcome} ${row.reason}` : row.id + row.starts_at)}
      />
      ${
        all.length > rows.length &&
        html`
          <div class="timeline-more">
            <${Button} onClick=${() => setWhole(true)}>${t("timeline.more", { n: all.length })}<//>
          </div>
        `
      }
    <//>
  `;
}
