/** A floor as it is now: on a card, and what can be done with it. */

import "./texts.js";
import { t, time } from "../../common/i18n.js";
import { connection, devices, now } from "../../common/live.js";
import { useQuery } from "../../common/query.js";
import { locked, may } from "../../common/session.js";
import { Badge, Button, Icon, Menu, Progress, Skeleton } from "../../common/ui.js";
import { html, useEffect, useState } from "../../common/view.js";
import "../devices/texts.js";
import { FloorDialog } from "./edit.js";
import { liftSilence, silenceFloor } from "./order.js";
import { PlayDialog } from "./play.js";
import { coming, silenceAt, sounding, tally } from "./sounding.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */
/** @typedef {import("../../common/ui/icon.js").IconName} IconName */
/** @typedef {import("./sounding.js").Timeline} Timeline */
/** @typedef {import("./sounding.js").Sounding} Sounding */

/** The timeline reaches a day ahead of when it was asked for; so often it is asked for anew, though nothing changed. */
const ANEW_MS = 10 * 60_000;

/** The floor's timeline from now on, kept up to date. @param {number} id */
export function useTimeline(id) {
  const query = useQuery(`/api/floors/${id}/timeline/`, { topics: ["floors", "devices", "playlists", "schedules", "stops", "plays", "announcements", "music"] });
  useEffect(() => {
    const timer = setInterval(query.reload, ANEW_MS);
    return () => clearInterval(timer);
  }, [query.reload]);
  return { ...query, data: /** @type {Timeline | undefined} */ (query.data) };
}

/** The speakers of a floor as they are. @param {number} id */
export const statesOf = (id) => [...devices.value.values()].filter((state) => state.floor === id);

/**
 * A floor's card. Tells the page its timeline, out of which come the next announcements.
 * @param {{ floor: Floor, onTimeline: (timeline: Timeline) => void }} props
 */
export function FloorCard({ floor, onTimeline }) {
  const { data } = useTimeline(floor.id);
  useEffect(() => {
    if (data) onTimeline(data);
  }, [data]);
  const next = data && coming([data], now.value)[0];
  return html`<section class="card now-floor" aria-labelledby=${`floor-${floor.id}`}>
    <header class="row apart top"><h2 id=${`floor-${floor.id}`} class="grow"><a
      href=${`/floors/${floor.id}`}>${floor.name}</a></h2><${SpeakersBadge} floor=${floor} /></header>
    <${Sounds} floor=${floor} timeline=${data} />
    <p class="row small quiet now-next"><${Icon} name="clock" /><span
      class="cut">${!data ? t("common.loading") : next ? t("now.next", { time: time(next.at, { zone: data.timezone }), title: next.title }) : t("now.nothing_next")}</span></p>
    <footer class="row wrap"><${FloorActions} floor=${floor} timeline=${data} /></footer>
  </section>`;
}

/** How many of a floor's speakers are there. @param {{ floor: Floor }} props */
export function SpeakersBadge({ floor }) {
  const states = statesOf(floor.id);
  if (!states.length) return floor.devices_count ? null : html`<${Badge}>${t("now.no_speakers_short")}</${Badge}>`;
  const { online, late, offline } = tally(states, now.value);
  if (offline) return html`<${Badge} kind=${online + late ? "warn" : "bad"}
    icon="offline">${t("now.some_online", { n: online + late, all: states.length })}</${Badge}>`;
  if (late) return html`<${Badge} kind="warn" icon="clock">${t("now.some_late", { n: late, all: states.length })}</${Badge}>`;
  return html`<${Badge} kind="good" icon="wifi">${t("now.all_online", { n: online })}</${Badge}>`;
}

/**
 * What the floor sounds, in words and with how far it has come.
 * @param {{ floor: Floor, timeline: Timeline | undefined, large?: boolean }} props
 */
export function Sounds({ floor, timeline, large = false }) {
  const states = statesOf(floor.id);
  // Until the socket has told the speakers, nothing is known of them; a lost one is told by the frame.
  if (!timeline || (!states.length && floor.devices_count > 0 && connection.value !== "lost")) return html`<${Skeleton} lines=${1}
    height="4rem" />`;
  const found = sounding(timeline, states, now.value);
  const [icon, title, words] = told(found, timeline, floor);
  return html`<div class=${`now-sounds ${found.kind}${large ? " large" : ""}`}>
    <span class="now-round" aria-hidden="true"><${Icon} name=${icon} />${found.kind === "music" && html`<span
      class="now-beat"><i></i><i></i><i></i></span>`}</span>
    <div class="grow"><p class="strong cut now-title">${title}</p><p class="small quiet">${words}</p>
      ${"share" in found && found.share !== undefined && html`<${Progress} share=${found.share} label=${t("now.progress", { title })} />`}
    </div>
  </div>`;
}

/** @param {Sounding} found @param {Timeline} timeline @param {Floor} floor @returns {[IconName, any, any]} icon, title, a line more */
function told(found, timeline, floor) {
  switch (found.kind) {
    case "music":
      return ["music", found.title || t("now.music"), found.artist || t("now.background")];
    case "announcement":
      return ["announcement", found.title || t("now.announcement"), t("now.announcing")];
    case "silent":
      return ["mute", t(`now.silent_${found.reason}`), found.until ? t("now.until", { time: time(found.until, { zone: timeline.timezone }) }) : t("now.until_lifted")];
    case "no_speakers":
      return ["speaker", t("now.no_speakers"), may("devices.manage") ? html`<a
        href=${`/devices?pair=${floor.id}`}>${t("now.add_speaker")}</a>` : t("now.ask_admin")];
    case "offline":
      return ["offline", t("now.offline"), t("now.offline_text")];
    default:
      return timeline.segments.length ? ["pause", t("now.idle"), t("now.idle_text")] : ["playlist", t("now.no_music"), may("playlists.manage") ? html`<a href="/playlists">${t("now.choose_playlist")}</a>` : t("now.ask_admin")];
  }
}

/** Until when a floor can be silenced. @returns {{ text: string, until: () => Date | null }[]} */
const lengths = () => [
  ...[15, 60, 240].map((minutes) => ({
    text: minutes < 60 ? t("now.for_minutes", { n: minutes }) : t("now.for_hours", { n: minutes / 60 }),
    until: () => new Date(now.value + minutes * 60_000),
  })),
  { text: t("now.until_i_lift"), until: () => null },
];

/** What can be done with a floor: play, silence or lift, change. @param {{ floor: Floor, timeline: Timeline | undefined }} props */
export function FloorActions({ floor, timeline }) {
  const [open, setOpen] = useState(/** @type {"play" | "edit" | null} */ (null));
  const stopped = timeline && silenceAt(timeline, now.value)?.reason === "stopped";
  const free = !locked.value;
  return html`
    ${may("announcements.play") && html`<${Button} icon="now" disabled=${!free || !floor.devices_count}
      onClick=${() => setOpen("play")}>${t("now.play")}<span
      class="unseen"> ${t("now.on_floor", { floor: floor.name })}</span></${Button}>`}
    ${stopped
      ? html`<${Button} icon="volume" disabled=${!free} onClick=${() => void liftSilence(floor)}>${t("now.lift")}<span
        class="unseen"> ${t("now.on_floor", { floor: floor.name })}</span></${Button}>`
      : html`<${Menu} label=${t("now.silence_floor", { floor: floor.name })}
        items=${lengths().map(({ text, until }) => ({ text, act: () => void silenceFloor(floor, until()) }))}
          place="left" button=${(/** @type {Record<string, any>} */ ties) => html`<${Button} icon="mute" disabled=${!free}
            ...${ties}>${t("now.silence")}<span class="unseen"> ${t("now.on_floor", { floor: floor.name })}</span></${Button}>`} />`}
    ${may("floors.manage") && html`<${Button} kind="plain" icon="edit" disabled=${!free}
      onClick=${() => setOpen("edit")}>${t("now.edit")}<span class="unseen"> ${floor.name}</span></${Button}>`}
    ${open === "play" && html`<${PlayDialog} floor=${floor.id} onClose=${() => setOpen(null)} />`}
    ${open === "edit" && html`<${FloorDialog} floor=${floor} onClose=${() => setOpen(null)} />`}`;
}

