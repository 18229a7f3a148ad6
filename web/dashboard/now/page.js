/** Now: what sounds where, how the speakers are, what comes next, what has been; and to act at once. */

import "./texts.js";
import { t, time } from "../../common/i18n.js";
import { now } from "../../common/live.js";
import { usePages, useQuery } from "../../common/query.js";
import { locked, may, me, zone } from "../../common/session.js";
import { Badge, Button, Card, EmptyState, Failed, PageHeader, Skeleton, sentence } from "../../common/ui.js";
import { html, signal, useState } from "../../common/view.js";
import "../devices/texts.js";
import { SpeakerDot, SpeakerWords, Volume } from "../devices/parts.js";
import { why } from "../plays/words.js";
import { FloorDialog } from "./edit.js";
import { FloorActions, FloorCard, Sounds, SpeakersBadge, statesOf, useTimeline } from "./floor.js";
import { Guide } from "./guide.js";
import { EmergencyDialog, PlayDialog } from "./play.js";
import { coming, playsOf } from "./sounding.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */
/** @typedef {import("./sounding.js").Coming} Coming */
/** @typedef {import("./sounding.js").Timeline} Timeline */

const SHOWN = 6;

/** The timelines that the floors' cards have, by floor. */
const timelines = signal(/** @type {ReadonlyMap<number, Timeline>} */ (new Map()));
const remember = (/** @type {Timeline} */ timeline) => {
  timelines.value = new Map(timelines.value).set(timeline.floor, timeline);
};

/** The page: all floors, or one by its `id`. @param {{ id?: string }} props */
export default function Page({ id }) {
  return id ? html`<${OneFloor} id=${Number(id)} />` : html`<${AllFloors} />`;
}

function AllFloors() {
  const [open, setOpen] = useState(/** @type {"play" | "emergency" | "floor" | null} */ (null));
  const [guided, setGuided] = useState(false);
  const query = useQuery("/api/floors/?ordering=name&page_size=200");
  const speakers = useQuery("/api/devices/?page_size=1");
  const plays = useQuery("/api/play-events/?limit=50");
  const floors = /** @type {Floor[] | undefined} */ (query.data?.results);
  const shut = () => setOpen(null);

  if (!floors || !speakers.data || !plays.data) {
    const failed = [query, speakers, plays].find((each) => each.error && !each.data);
    return html`<${PageHeader} title=${t("now.title")} />${failed ? html`<${Failed} words=${sentence(failed.error)}
      onRetry=${failed.reload} />` : html`<${Skeleton} />`}`;
  }
  const fresh = !floors.length || !speakers.data.count || !plays.data.results.length;
  // It stays until it is closed, though its last step is done.
  if (fresh && may("floors.manage") && !guided) setGuided(true);
  const shown = floors.flatMap((floor) => timelines.value.get(floor.id) ?? []);
  return html`
    <${PageHeader} title=${t("now.title")} lead=${me.value?.client?.business_name}>
      ${may("floors.manage") && floors.length > 0 && html`<${Button} class="now-add" icon="add" disabled=${Boolean(locked.value)}
        onClick=${() => setOpen("floor")}>${t("now.floor_add")}</${Button}>`}
      ${may("announcements.play") && speakers.data.count > 0 && html`
        <${Button} class="now-emergency" icon="emergency" onClick=${() => setOpen("emergency")}>${t("now.emergency")}</${Button}>
        <${Button} kind="primary" icon="now" disabled=${Boolean(locked.value)}
          onClick=${() => setOpen("play")}>${t("now.play_now")}</${Button}>`}
    </${PageHeader}>
    ${guided && !locked.value && html`<${Guide} floors=${floors} speakers=${speakers.data.results} onDone=${() => setGuided(false)} />`}
    ${!floors.length && !guided && html`<${EmptyState} icon="floor" title=${t("now.no_floor")}>${t("now.ask_admin")}</${EmptyState}>`}
    <div class="now-floors">${floors.map((floor) => html`<${FloorCard} key=${floor.id} floor=${floor} onTimeline=${remember} />`)}</div>
    ${(speakers.data.count > 0 || plays.data.results.length > 0) && html`<div class="now-both">
      <${Card} title=${t("now.coming")} flush>${shown.length === floors.length ? html`<${ComingList} rows=${coming(shown, now.value)}
        floors=${floors} />` : html`<div class="now-none"><${Skeleton} lines=${2} /></div>`}</${Card}>
      <${Card} title=${t("now.recent")} flush actions=${html`<a class="small" href="/history">${t("now.to_history")}</a>`}><${PlayList}
        events=${plays.data.results} /></${Card}>
    </div>`}
    ${open === "play" && html`<${PlayDialog} onClose=${shut} />`}
    ${open === "emergency" && html`<${EmergencyDialog} onClose=${shut} />`}
    ${open === "floor" && html`<${FloorDialog} onClose=${shut} />`}`;
}

/** One floor, with its speakers. @param {{ id: number }} props */
function OneFloor({ id }) {
  const { data: floor, error, reload } = useQuery(`/api/floors/${id}/`);
  const { data: timeline } = useTimeline(id);
  const plays = usePages(`/api/play-events/?floor=${id}&limit=50`, { topics: ["plays"] });
  const back = { href: "/", text: t("now.title") };
  if (!floor) return html`<${PageHeader} title=${t("now.floor")} back=${back} />${error ? html`<${Failed} words=${sentence(error)}
    onRetry=${reload} />` : html`<${Skeleton} />`}`;
  const states = statesOf(id).sort((one, other) => one.name.localeCompare(other.name));
  return html`
    <${PageHeader} title=${floor.name} lead=${floor.description} back=${back}><${FloorActions} floor=${floor}
      timeline=${timeline} /></${PageHeader}>
    <${Card}><div class="row apart wrap"><div class="now-large"><${Sounds} floor=${floor} timeline=${timeline} large /></div><${SpeakersBadge}
      floor=${floor} /></div></${Card}>
    <${Card} title=${t("now.speakers")} flush actions=${may("devices.manage") && html`<${Button} size="small" icon="add"
      href=${`/devices?pair=${id}`}>${t("now.add_speaker")}</${Button}>`}>
      ${states.length
        ? html`<ul class="list">${states.map((state) => html`<li key=${state.id} class="now-speaker"><${SpeakerDot} state=${state} />
            <div class="grow"><a class="strong" href=${`/devices/${state.id}`}>${state.name}</a><div><${SpeakerWords}
              state=${state} /></div></div><${Volume} state=${state} floor=${floor} /></li>`)}</ul>`
        : html`<${EmptyState} icon="speaker" title=${t("now.no_speakers")}>${t("now.no_speakers_text")}</${EmptyState}>`}
    </${Card}>
    <div class="now-both">
      <${Card} title=${t("now.coming")} flush actions=${html`<a class="small"
        href=${`/timeline?floor=${id}`}>${t("now.to_timeline")}</a>`}>${timeline ? html`<${ComingList} rows=${coming([timeline], now.value)}
        floors=${[floor]} />` : html`<div class="now-none"><${Skeleton} lines=${2} /></div>`}</${Card}>
      <${Card} title=${t("now.recent")} flush actions=${html`<a class="small"
        href=${`/history?floor=${id}`}>${t("now.to_history")}</a>`}><${PlayList} events=${plays.rows ?? []} /></${Card}>
    </div>`;
}

/** The next announcements. @param {{ rows: Coming[], floors: Floor[] }} props */
function ComingList({ rows, floors }) {
  if (!rows.length) return html`<p class="now-none quiet">${t("now.nothing_coming")} ${may("schedules.manage") && html`<a
    href="/schedules">${t("now.to_schedules")}</a>`}</p>`;
  const names = new Map(floors.map((floor) => [floor.id, floor.name]));
  return html`<ul class="list">${rows.slice(0, SHOWN).map((row) => html`<li key=${row.key}>
    <span class="number strong now-when">${time(row.at, { zone: zone.value })}</span>
    <div class="grow"><div class="cut">${row.title}</div><div
      class="small quiet cut">${[row.floors.map((id) => names.get(id)).join(", "), row.schedule].filter(Boolean).join(" · ")}</div></div>
  </li>`)}</ul>`;
}

/** What has been played last, and what became of it. @param {{ events: import("./sounding.js").PlayEvent[] }} props */
function PlayList({ events }) {
  const plays = playsOf(events, now.value).slice(0, SHOWN);
  if (!plays.length) return html`<p class="now-none quiet">${t("now.nothing_played")}</p>`;
  return html`<ul class="list">${plays.map((play) => html`<li key=${play.id}>
    <span class="number now-when">${time(play.at, { zone: zone.value })}</span>
    <div class="grow"><div class="row apart"><span class="cut">${play.title}</span>${became(play)}</div>
      <div class="small quiet cut">${[play.floors.join(", "), play.by].filter(Boolean).join(" · ")}</div>
      ${play.reason && html`<div class="small quiet">${why(play.reason, play.why)}</div>`}</div>
  </li>`)}</ul>`;
}

/** @param {import("./sounding.js").Play} play */
function became(play) {
  if (play.done === play.speakers) return html`<${Badge} kind="good" icon="check">${t("now.heard")}</${Badge}>`;
  if (play.failed === play.speakers) return html`<${Badge} kind="bad" icon="close">${t("now.not_heard")}</${Badge}>`;
  if (play.done + play.failed < play.speakers) return html`<${Badge} kind="accent" icon="clock">${t("now.under_way")}</${Badge}>`;
  return html`<${Badge} kind="warn" icon="warning">${t("now.heard_by", { n: play.done, all: play.speakers })}</${Badge}>`;
}
