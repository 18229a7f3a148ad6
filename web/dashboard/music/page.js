/** Music: files dragged in, heard, named, found again. */

import "./texts.js";
import { api } from "../../common/api.js";
import { size, t } from "../../common/i18n.js";
import { invalidate, usePages, useSettled } from "../../common/query.js";
import { query, setQuery } from "../../common/router.js";
import { locked, may } from "../../common/session.js";
import {
  Ask, Badge, Button, Card, Dialog, DropZone, EmptyState, Failed, Form, IconButton, Menu, PageHeader, Pager, Progress, Select, Skeleton, TextField, sentence, toast, useForm,
} from "../../common/ui.js";
import { Player } from "../../common/ui/sound.js";
import { html, useState } from "../../common/view.js";
import { again, drop, send, tidy, uploads } from "./uploads.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Music"]} Music */
/** @typedef {import("./uploads.js").Upload} Upload */

const ORDERS = ["-created_at", "name", "artist", "-duration"];

/** The page. */
export default function Page() {
  const wanted = query.value.get("search") ?? "";
  const order = query.value.get("order") ?? ORDERS[0];
  const asked = useSettled(wanted);
  const [open, setOpen] = useState(/** @type {{ row: Music, what: "edit" | "delete" } | null} */ (null));
  const { rows, error, more, reload } = usePages(`/api/music/?ordering=${order}${asked ? `&search=${encodeURIComponent(asked)}` : ""}`);
  const manage = may("music.manage") && !locked.value;
  const empty = rows?.length === 0 && !asked;
  const shut = () => setOpen(null);
  return html`
    <${PageHeader} title=${t("music.title")} lead=${t("music.lead")} />
    ${manage && html`<${DropZone} label=${t("music.drop")} accept="audio/*,.mp3,.wav,.flac,.ogg,.opus,.m4a,.aac,.webm" multiple
      onFiles=${send}><span class="small">${t("music.drop_hint")}</span></${DropZone}>`}
    <${Uploads} />
    ${error && html`<${Failed} words=${sentence(error)} onRetry=${reload} />`}
    ${!rows && !error && html`<${Skeleton} />`}
    ${empty && html`<${EmptyState} icon="music"
      title=${t("music.none")}>${t(manage ? "music.none_text" : "music.none_reader")}</${EmptyState}>`}
    ${rows && !empty && html`
      <div class="row wrap top music-tools"><div class="grow"><${TextField} type="search" label=${t("music.search")} value=${wanted}
        onValue=${(/** @type {string} */ search) => setQuery({ search })} /></div>
        <${Select} label=${t("music.order")} value=${order} options=${ORDERS.map((key) => [key, t(`music.order_${key.replace("-", "")}`)])}
          onValue=${(/** @type {string} */ key) => setQuery({ order: key === ORDERS[0] ? null : key })} /></div>
      ${rows.length === 0 ? html`<p class="quiet">${t("music.not_found")}</p>` : html`<${Card} flush><ul
        class="list">${rows.map((row) => html`<${Row} key=${row.id} row=${row} manage=${manage}
        onOpen=${(/** @type {"edit" | "delete"} */ what) => setOpen({ row, what })} />`)}</ul><${Pager} more=${more} /></${Card}>`}`}
    ${open?.what === "edit" && html`<${Tags} row=${open.row} onClose=${shut} />`}
    ${open?.what === "delete" && html`<${Ask} title=${t("music.delete_title", { name: open.row.name })} text=${t("music.delete_text")}
      button=${t("music.delete")} onClose=${shut}
      act=${async () => { await api.delete(`/api/music/${open.row.id}/`); invalidate("/api/music/", "/api/channel-playlists/"); }} />`}`;
}

/** What is on its way, and what became of it. */
function Uploads() {
  const all = uploads.value;
  if (!all.length) return null;
  const kept = all.filter((each) => each.state === "kept").length;
  const done = all.every((each) => each.state === "kept" || each.state === "failed");
  return html`<${Card} flush title=${html`<span
    role="status">${done ? t("music.uploaded", { n: kept }) : t("music.uploading", { n: kept, all: all.length })}</span>`}
      actions=${kept > 0 && html`<${Button} size="small" kind="plain" onClick=${tidy}>${t("music.tidy")}</${Button}>`}>
    <ul class="list">${all.map((each) => html`<${UploadRow} key=${each.id} one=${each} />`)}</ul>
  </${Card}>`;
}

/** @param {{ one: Upload }} props */
function UploadRow({ one }) {
  const ended = one.state === "kept" || one.state === "failed";
  return html`<li>
    <div class="grow"><div class="row apart"><span class="cut">${one.name}</span><span
      class="small quiet number">${size(one.bytes)}</span></div>
      ${!ended && html`<${Progress} share=${one.state === "examined" ? undefined : one.share}
        label=${t("music.progress", { name: one.name })} />`}
      ${one.state === "failed" ? html`<div class="small bad" role="alert">${sentence(one.error)}</div>` : html`<div
        class="small quiet">${t(one.twice ? "music.twice" : `music.upload_${one.state}`)}</div>`}
    </div>
    ${one.state === "failed" && html`<${IconButton} icon="refresh" label=${t("music.again", { name: one.name })}
      onClick=${() => again(one.id)} />`}
    <${IconButton} icon="close" label=${t(ended ? "music.put_away" : "music.stop", { name: one.name })} onClick=${() => drop(one.id)} />
  </li>`;
}

/** @param {{ row: Music, manage: boolean, onOpen: (what: "edit" | "delete") => void }} props */
function Row({ row, manage, onOpen }) {
  const items = [
    { text: t("music.edit"), icon: /** @type {const} */ ("edit"), act: () => onOpen("edit") },
    { text: t("music.delete"), icon: /** @type {const} */ ("remove"), danger: true, act: () => onOpen("delete") },
  ];
  return html`<li class="music-row">
    <div class="grow"><div class="row"><span class="strong cut">${row.name}</span><${State} row=${row} /></div>
      <div class="small quiet cut">${[row.artist, row.album, row.genre].filter(Boolean).join(" · ") || t("music.no_tags")}</div>
      ${row.status === "failed" && html`<div class="small bad">${row.failure_detail}</div>`}</div>
    ${row.status === "ready" && html`<${Player} url=${row.audio_url} label=${row.name} lengthMs=${row.duration_ms} />`}
    ${manage && html`<${Menu} label=${t("music.menu", { name: row.name })} items=${items} />`}
  </li>`;
}

/** @param {{ row: Music }} props */
function State({ row }) {
  if (row.status === "ready") return null;
  if (row.status === "failed") return html`<${Badge} kind="bad" icon="warning">${t("music.failed")}</${Badge}>`;
  return html`<span class="badge accent" role="status"><span class="spinner" aria-hidden="true"></span>${t("music.processing")}</span>`;
}

/** @param {Music} row */
const tagsOf = ({ name, artist, album, genre, isrc }) => ({ name, artist: artist ?? "", album: album ?? "", genre: genre ?? "", isrc: isrc ?? "" });

/** @param {{ row: Music, onClose: () => void }} props */
function Tags({ row, onClose }) {
  const path = `/api/music/${row.id}/`;
  const form = useForm(tagsOf(row), async (values, sending) => {
    await api.patch(path, values, sending);
    invalidate("/api/music/", "/api/channel-playlists/");
    toast(t("music.saved"));
    onClose();
  }, { row: { path, draft: tagsOf } });
  return html`<${Dialog} title=${t("music.edit")} onClose=${onClose}>
    <${Form} form=${form} actions=${html`<${Button} onClick=${onClose}>${t("common.cancel")}</${Button}><${Button} kind="primary"
      type="submit" busy=${form.busy}>${t("music.save")}</${Button}>`}>
      <${TextField} label=${t("music.name")} required maxlength="255" ...${form.of("name")} />
      <div class="fields">
        <${TextField} label=${t("music.artist")} maxlength="255" ...${form.of("artist")} />
        <${TextField} label=${t("music.album")} maxlength="255" ...${form.of("album")} />
        <${TextField} label=${t("music.genre")} maxlength="100" ...${form.of("genre")} />
        <${TextField} label="ISRC" hint=${t("music.isrc_hint")} maxlength="12" ...${form.of("isrc")} />
      </div>
    </${Form}>
  </${Dialog}>`;
}
