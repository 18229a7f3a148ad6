/** An announcement chosen of all: those that people played last come first, what cannot be played says why. */

import "./texts.js";
import { length, t } from "../../common/i18n.js";
import { useQuery } from "../../common/query.js";
import { may } from "../../common/session.js";
import { Badge, Button, EmptyState, Finder } from "../../common/ui.js";
import { Player } from "../../common/ui/sound.js";
import { html } from "../../common/view.js";
import { StateBadge } from "./state.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Announcement"]} Announcement */
/** @typedef {import("../../common/view.js").Children} Children */

/** So many of those played last stand first. */
const RECENT = 4;

/** The announcements that people, not rules, played last, the latest first. */
function useRecent() {
  const events = useQuery(`/api/play-events/?priority=instant&limit=50`).data?.results ?? [];
  const ids = events.flatMap((/** @type {{ announcement: number | null }} */ event) => event.announcement ?? []);
  return /** @type {number[]} */ ([...new Set(ids)].slice(0, RECENT));
}

/** Whether it has a sound, and is not switched off. @param {Announcement} row */
export const playable = (row) => row.playable && row.enabled !== false;

/**
 * All announcements, each with what can be done with it.
 * @param {{ act: (row: Announcement) => Children }} props `act` is drawn for those that can be played
 */
export function Choice({ act }) {
  const recent = useRecent();
  const make = may("announcements.manage") && html`<${Button} kind="primary" icon="add"
    href="/announcements/new">${t("announcements.new")}</${Button}>`;
  const empty = html`<${EmptyState} icon="announcement" title=${t("announcements.nothing_to_play")}
    action=${make}>${t("announcements.nothing_to_play_text")}</${EmptyState}>`;
  const row = (/** @type {Announcement} */ each) => html`<${Row} key=${each.id} row=${each} act=${act} />`;
  const first = recent.length > 0 && html`<div class="stack tight announcements-first"><h3 class="small quiet">${t("announcements.recent")}</h3>
    <ul class="list card flush">${recent.map((id) => html`<${Recent} key=${id} id=${id} row=${row} />`)}</ul>
    <h3 class="small quiet">${t("announcements.all")}</h3></div>`;
  return html`<${Finder} path="/api/announcements/?ordering=title" label=${t("announcements.search")} row=${row} first=${first}
    skip=${new Set(recent)} empty=${empty} none=${t("announcements.not_found")} />`;
}

/** One of those played last; it may have been deleted since. @param {{ id: number, row: (row: Announcement) => Children }} props */
function Recent({ id, row }) {
  const { data } = useQuery(`/api/announcements/${id}/`);
  return data ? row(data) : null;
}

/** @param {{ row: Announcement, act: (row: Announcement) => Children }} props */
function Row({ row, act }) {
  const about = [row.category, row.duration_ms && length(row.duration_ms)].filter(Boolean).join(" · ");
  return html`<li class="announcements-choice">
    <div class="grow"><div class="row wrap"><span class="strong cut">${row.title}</span><${StateBadge}
      row=${row} />${row.enabled === false && html`<${Badge}>${t("announcements.off")}</${Badge}>`}</div>
      <div class="small quiet">${about}</div></div>
    ${row.audio_url && html`<${Player} url=${row.audio_url} label=${row.title} lengthMs=${row.duration_ms} />`}
    ${playable(row) && act(row)}
  </li>`;
}
