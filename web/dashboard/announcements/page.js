/** Announcements: all of them, a new one, or one to change. */

import "./texts.js";
import { t } from "../../common/i18n.js";
import { usePages, useSettled } from "../../common/query.js";
import { query, setQuery } from "../../common/router.js";
import { locked, may } from "../../common/session.js";
import { Badge, Button, Card, EmptyState, Failed, IconButton, PageHeader, Pager, Skeleton, TextField, sentence } from "../../common/ui.js";
import { Player } from "../../common/ui/sound.js";
import { html, useState } from "../../common/view.js";
import { PlayDialog } from "../now/play.js";
import { Compose } from "./compose.js";
import { OneAnnouncement } from "./one.js";
import { StateBadge } from "./state.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Announcement"]} Announcement */

/** The page. @param {{ id?: string }} props */
export default function Page({ id }) {
  if (id === "new") return html`<${Compose} />`;
  return id ? html`<${OneAnnouncement} key=${id} id=${Number(id)} />` : html`<${AllAnnouncements} />`;
}

function AllAnnouncements() {
  const wanted = query.value.get("search") ?? "";
  const asked = useSettled(wanted);
  const [playing, setPlaying] = useState(/** @type {Announcement | null} */ (null));
  const path = asked ? `/api/announcements/?ordering=title&search=${encodeURIComponent(asked)}` : "/api/announcements/?ordering=title";
  const { rows, error, more, reload } = usePages(path);
  const create = may("announcements.manage") && html`<${Button} kind="primary" icon="add"
    href="/announcements/new">${t("announcements.new")}</${Button}>`;
  const empty = rows?.length === 0 && !asked;
  return html`
    <${PageHeader} title=${t("announcements.title")} lead=${t("announcements.lead")}>${!empty && create}</${PageHeader}>
    ${!empty && html`<div class="announcements-search"><${TextField} type="search" label=${t("announcements.search")} value=${wanted}
      onValue=${(/** @type {string} */ search) => setQuery({ search })} /></div>`}
    ${error && html`<${Failed} words=${sentence(error)} onRetry=${reload} />`}
    ${!rows && !error && html`<${Skeleton} />`}
    ${empty && html`<${EmptyState} icon="announcement" title=${t("announcements.none")}
      action=${create}>${t("announcements.none_text")}</${EmptyState}>`}
    ${rows?.length === 0 && asked && html`<p class="quiet">${t("announcements.not_found")}</p>`}
    ${rows && rows.length > 0 && html`<${Card} flush><ul class="list">${rows.map((row) => html`<${Row} key=${row.id} row=${row}
      onPlay=${() => setPlaying(row)} />`)}</ul><${Pager} more=${more} /></${Card}>`}
    ${playing && html`<${PlayDialog} announcement=${playing} onClose=${() => setPlaying(null)} />`}`;
}

/** @param {{ row: Announcement, onPlay: () => void }} props */
function Row({ row, onPlay }) {
  const free = may("announcements.play") && !locked.value && row.playable && row.enabled;
  return html`<li class="announcements-row">
    <div class="grow"><div class="row wrap"><a class="strong announcements-name"
      href=${`/announcements/${row.id}`}>${row.title}</a><${StateBadge}
      row=${row} />${row.enabled === false && html`<${Badge}>${t("announcements.off")}</${Badge}>`}</div>
      <div class="small quiet cut">${[t(`announcements.type_${row.type}`), row.category, row.text].filter(Boolean).join(" · ")}</div></div>
    ${row.audio_url && html`<${Player} url=${row.audio_url} label=${row.title} lengthMs=${row.duration_ms} />`}
    <${Button} size="small" icon="now" disabled=${!free} aria-label=${t("announcements.play", { title: row.title })}
      onClick=${onPlay}>${t("announcements.play_short")}</${Button}>
    <${IconButton} icon="right" label=${t("announcements.open", { title: row.title })} href=${`/announcements/${row.id}`} />
  </li>`;
}
