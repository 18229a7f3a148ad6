/** Speakers: how each is, and what is set; new ones by code. */

import "./texts.js";
import { withQuery } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { devices, now, presence } from "../../common/live.js";
import { usePages, useQuery, useSettled } from "../../common/query.js";
import { query, setQuery } from "../../common/router.js";
import { locked, may } from "../../common/session.js";
import { Button, Card, EmptyState, Failed, IconButton, PageHeader, Pager, Segments, Skeleton, TextField, sentence } from "../../common/ui.js";
import { html } from "../../common/view.js";
import { OneSpeaker } from "./one.js";
import { PairDialog } from "./pair.js";
import { SpeakerDot, SpeakerWords, Volume, identify, mayControl } from "./parts.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Device"]} Device */
/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */
/** @typedef {import("../../common/live.js").DeviceState} DeviceState */

/** From so many on, a list has fields to search in. */
const MANY = 8;

/** The page: all speakers, or one by its `id`. @param {{ id?: string }} props */
export default function Page({ id }) {
  return id ? html`<${OneSpeaker} id=${Number(id)} />` : html`<${AllSpeakers} />`;
}

function AllSpeakers() {
  const wanted = query.value.get("search") ?? "";
  const only = query.value.get("only") ?? "all";
  const search = useSettled(wanted.trim());
  const floors = useQuery("/api/floors/?ordering=name&page_size=200");
  const all = useQuery("/api/devices/?page_size=1");
  const some = { search, status: only === "offline" ? "offline" : "", ordering: "floor__name,name", page_size: 100 };
  const list = usePages(withQuery("/api/devices/", some));
  const pairing = query.value.get("pair");
  const add = () => setQuery({ pair: "new" });
  const failed = [list, floors, all].find((each) => each.error && !("rows" in each ? each.rows : each.data));
  const count = all.data?.count;
  const button = may("devices.manage") && html`<${Button} kind="primary" icon="add" disabled=${Boolean(locked.value)}
    onClick=${add}>${t("devices.pair")}</${Button}>`;
  return html`
    <${PageHeader} title=${t("devices.title")} lead=${t("devices.lead")}>${count > 0 && button}</${PageHeader}>
    ${failed && html`<${Failed} words=${sentence(failed.error)} onRetry=${failed.reload} />`}
    ${count === 0 && html`<${EmptyState} icon="speaker" title=${t("devices.none")} action=${button}>${t("devices.none_text")}</${EmptyState}>`}
    ${count >= MANY && html`<${Which} wanted=${wanted} only=${only} count=${count} />`}
    ${!failed && count !== 0 && (list.rows && floors.data
      ? html`<${ByFloor} rows=${list.rows} floors=${floors.data.results} /><${Pager} more=${list.more} />`
      : html`<${Skeleton} />`)}
    ${pairing && may("devices.manage") && html`<${PairDialog} floor=${Number(pairing) || undefined}
      onClose=${() => setQuery({ pair: null })} />`}`;
}

/** Which of many speakers are shown. @param {{ wanted: string, only: string, count: number }} props */
function Which({ wanted, only, count }) {
  const offline = [...devices.value.values()].filter((state) => presence(state, now.value) === "offline").length;
  return html`<div class="row wrap apart"><div class="devices-search"><${TextField} type="search"
      label=${t("devices.search")} value=${wanted} onValue=${(/** @type {string} */ search) => setQuery({ search })} /></div>
    <${Segments} label=${t("devices.which")} value=${only}
      onValue=${(/** @type {string} */ key) => setQuery({ only: key === "all" ? null : key })}
      options=${[["all", t("devices.all", { n: count })], ["offline", t("devices.only_offline", { n: offline })]]} /></div>`;
}

/** @param {{ rows: Device[], floors: Floor[] }} props */
function ByFloor({ rows, floors }) {
  const groups = [
    ...floors.map((floor) => ({ floor, rows: rows.filter((row) => row.floor === floor.id) })),
    { floor: undefined, rows: rows.filter((row) => row.floor === null) },
  ].filter((group) => group.rows.length);
  if (!groups.length) return html`<p class="quiet" role="status">${t("devices.not_found")}</p>`;
  return groups.map(({ floor, rows }) => html`<${Card} key=${floor?.id ?? 0} flush title=${floor ? html`<a class="devices-floor"
      href=${`/floors/${floor.id}`}>${floor.name}</a>` : t("devices.no_floor")}>
    <ul class="list">${rows.map((row) => html`<${Row} key=${row.id} row=${row} floor=${floor} />`)}</ul>
  </${Card}>`);
}

/** The state of a speaker: what the socket said, else what the list says. @param {Device} row @returns {DeviceState} */
export function stateOf(row) {
  const told = devices.value.get(row.id);
  if (told) return told;
  const lease = row.last_seen && row.status === "online" ? (Date.parse(row.last_seen) + 45_000) * 1000 : row.last_seen ? 1 : null;
  return {
    id: row.id, floor: row.floor ?? 0, name: row.name, online_until: lease, volume: row.volume ?? 0, muted: row.muted ?? false, in_sync: true,
    clock_state: row.clock_state, clock_error_us: row.clock_error_us, reported: null,
  };
}

/** @param {{ row: Device, floor?: Floor }} props */
function Row({ row, floor }) {
  const state = stateOf(row);
  return html`<li class="devices-row"><${SpeakerDot} state=${state} />
    <div class="grow"><a class="strong devices-name" href=${`/devices/${row.id}`}>${row.name}</a>
      <div>${row.revoked ? html`<span class="small bad">${t("devices.revoked")}</span>` : !floor ? html`<span
        class="small warn">${t("devices.no_floor_text")}</span>` : html`<${SpeakerWords} state=${state} />`}</div></div>
    <${Volume} state=${state} floor=${floor} />
    <${IconButton} icon="bell" label=${t("devices.tone", { name: row.name })}
      disabled=${!mayControl() || presence(state, now.value) === "offline"} onClick=${() => void identify(row)} />
    <${IconButton} icon="right" label=${t("devices.open", { name: row.name })} href=${`/devices/${row.id}`} />
  </li>`;
}
