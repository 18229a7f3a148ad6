/** One announcement: to hear, to change, with the wordings it has had; to delete, with what uses it. */

import "./texts.js";
import { api, everyRow } from "../../common/api.js";
import { dayAndTime, t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { go } from "../../common/router.js";
import { locked, may, zone } from "../../common/session.js";
import { Ask, Button, Card, Failed, Form, Notice, PageHeader, Skeleton, Switch, TextField, sentence, toast, toastError, useForm } from "../../common/ui.js";
import { Player } from "../../common/ui/sound.js";
import { html, useState } from "../../common/view.js";
import { instantOf, wallOf } from "../../common/zones.js";
import { PlayDialog } from "../now/play.js";
import { StateNotice } from "./state.js";
import { ChimeField, SpeechFields } from "./voice.js";
import { wordings } from "./words.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Announcement"]} Announcement */
/** @typedef {{ kind: "schedule" | "playlist", id: number, name: string }} Use */

/** @param {{ id: number }} props */
export function OneAnnouncement({ id }) {
  const { data, error, reload } = useQuery(`/api/announcements/${id}/`);
  const [open, setOpen] = useState(/** @type {"play" | "delete" | null} */ (null));
  const [uses, setUses] = useState(/** @type {Use[]} */ ([]));
  const row = /** @type {Announcement | undefined} */ (data);
  const back = { href: "/announcements", text: t("announcements.title") };
  if (!row) return html`<${PageHeader} title=${t("announcements.one")} back=${back} />${error ? html`<${Failed} words=${sentence(error)}
    onRetry=${reload} />` : html`<${Skeleton} />`}`;
  const ask = async () => {
    try {
      setUses(await usesOf(id));
      setOpen("delete");
    } catch (problem) {
      toastError(problem);
    }
  };
  const remove = async () => {
    await api.delete(`/api/announcements/${id}/`);
    go("/announcements", { anyway: true }); // first, for what is shown is asked for again
    invalidate("/api/announcements/", "/api/schedules/", "/api/channel-playlists/");
    toast(t("announcements.deleted", { title: row.title }));
  };
  const playable = row.playable && row.enabled !== false;
  return html`
    <${PageHeader} title=${row.title} back=${back} lead=${[t(`announcements.type_${row.type}`), row.category].filter(Boolean).join(" · ")}>
      ${may("announcements.manage") && html`<${Button} icon="remove" disabled=${Boolean(locked.value)}
        onClick=${ask}>${t("announcements.delete")}</${Button}>`}
      ${may("announcements.play") && html`<${Button} kind="primary" icon="now" disabled=${!playable || Boolean(locked.value)}
        onClick=${() => setOpen("play")}>${t("announcements.play_short")}</${Button}>`}
    </${PageHeader}>
    <${StateNotice} row=${row} />
    ${row.speech?.fallback && html`<${Notice}>${t("announcements.fallback")}</${Notice}>`}
    ${row.audio_url && html`<${Card}><${Player} url=${row.audio_url} label=${row.title} lengthMs=${row.duration_ms} eager /></${Card}>`}
    ${may("announcements.manage") ? html`<${Change} row=${row} />` : row.text && html`<${Card}
      title=${t("announcements.text")}><p>${row.text}</p></${Card}>`}
    ${open === "play" && html`<${PlayDialog} announcement=${row} onClose=${() => setOpen(null)} />`}
    ${open === "delete" && html`<${Ask} title=${t("announcements.delete_title", { title: row.title })} button=${t("announcements.delete")}
      act=${remove} onClose=${() => setOpen(null)}
      text=${uses.length ? html`${t("announcements.delete_used")}<ul class="announcements-uses">${uses.map((use) => html`<li
        key=${use.kind + use.id}>${t(`announcements.use_${use.kind}`, { name: use.name })}</li>`)}</ul>` : t("announcements.delete_unused")} />`}`;
}

/** What names this announcement: its schedules, and its playlists, which tell their items one by one. @param {number} id @returns {Promise<Use[]>} raises as `call` does */
async function usesOf(id) {
  const [schedules, playlists] = await Promise.all([everyRow("/api/schedules/", { query: { announcement: id } }), everyRow("/api/channel-playlists/")]);
  const details = await Promise.all(playlists.filter((each) => each.announcement_count).map((each) => api.get(`/api/channel-playlists/${each.id}/`)));
  const naming = details.filter((each) => each.items.some((/** @type {{ announcement: number | null }} */ item) => item.announcement === id));
  return [
    ...schedules.map(({ id, name }) => ({ kind: /** @type {const} */ ("schedule"), id, name })),
    ...naming.map(({ id, name }) => ({ kind: /** @type {const} */ ("playlist"), id, name })),
  ];
}

/** The business's own zone: what is valid until six is so on its clocks, wherever one sits. */
const shopZone = () => zone.value ?? "UTC";

/** @param {string | null | undefined} instant */
const local = (instant) => (instant ? wallOf(Date.parse(instant), shopZone()) : "");

/** @param {string} wall */
const instant = (wall) => (wall ? new Date(instantOf(wall, shopZone())).toISOString() : null);

/** Words and chime are one sound: named only if they have changed, for naming them makes it anew. */
const SOUND = ["chime", "text", "language", "voice"];

/** What the form holds of a row. @param {Announcement} row */
const draftOf = (row) => ({
  title: row.title,
  category: row.category ?? "",
  enabled: row.enabled ?? true,
  valid_from: local(row.valid_from),
  valid_until: local(row.valid_until),
  chime: row.chime ?? "none",
  ...(row.type === "tts" && { text: row.text ?? "", language: row.language ?? "", voice: row.voice ?? "" }),
});

/** @param {{ row: Announcement }} props */
function Change({ row }) {
  const spoken = row.type === "tts";
  const path = `/api/announcements/${row.id}/`;
  const form = useForm(draftOf(row), async (values, sending) => {
    const anew = row.status === "failed" || SOUND.some((name) => sending.changed.includes(name));
    const named = Object.entries(values).filter(([name]) => (SOUND.includes(name) ? anew : sending.changed.includes(name)));
    const dates = named.map(([name, value]) => [name, name.startsWith("valid_") ? instant(String(value)) : value]);
    await api.patch(path, Object.fromEntries(dates), sending);
    invalidate("/api/announcements/");
    toast(t("announcements.saved"));
  }, { row: { path, draft: draftOf } });
  return html`<div class="announcements-columns">
    <${Card} title=${t("announcements.change")}>
      <${Form} form=${form} actions=${html`<${Button} kind="primary" type="submit" busy=${form.busy}
        disabled=${Boolean(locked.value)}>${t("announcements.save")}</${Button}>`}>
        <div class="fields">
          <${TextField} label=${t("announcements.name")} required maxlength="255" ...${form.of("title")} />
          <${TextField} label=${t("announcements.category")} maxlength="100" ...${form.of("category")} />
        </div>
        ${spoken ? html`<${SpeechFields} form=${/** @type {any} */ (form)} />` : html`<${ChimeField} form=${/** @type {any} */ (form)} />`}
        <${Switch} checkbox label=${t("announcements.enabled")} hint=${t("announcements.enabled_hint")} ...${form.of("enabled")} />
        <div class="fields">
          <${TextField} type="datetime-local" label=${t("announcements.valid_from")} ...${form.of("valid_from")} />
          <${TextField} type="datetime-local" label=${t("announcements.valid_until")} ...${form.of("valid_until")} />
        </div>
        <p class="small quiet">${t("announcements.valid_zone", { zone: shopZone() })}</p>
      </${Form}>
    </${Card}>
    ${spoken && may("audit.read") && html`<${Earlier} row=${row} onUse=${(/** @type {string} */ text) => form.set({ text })} />`}
  </div>`;
}

/** The wordings it has had; one can be taken again. @param {{ row: Announcement, onUse: (text: string) => void }} props */
function Earlier({ row, onUse }) {
  const { data } = useQuery(`/api/audit-logs/?resource=announcement&resource_id=${row.id}&limit=100`, { topics: ["announcements"] });
  const earlier = wordings(data?.results ?? [], row.text ?? "");
  if (!earlier.length) return null;
  return html`<${Card} title=${t("announcements.earlier")}><ul class="stack">${earlier.map((wording) => html`<li key=${wording.id}
    class="stack tight">
    <blockquote class="now-words">${wording.text}</blockquote>
    <div class="row apart wrap"><span class="small quiet">${t("announcements.earlier_until", { when: dayAndTime(wording.at, { zone: zone.value }), by: wording.by })}</span>
      <${Button} size="small" kind="plain"
        onClick=${() => onUse(wording.text)}>${t("announcements.use_again")}</${Button}></div></li>`)}</ul></${Card}>`;
}
