/** A new announcement: typed and spoken, uploaded, or recorded here. */

import "./texts.js";
import { api, upload } from "../../common/api.js";
import { size, t } from "../../common/i18n.js";
import { invalidate } from "../../common/query.js";
import { go, query, setQuery } from "../../common/router.js";
import { Button, Card, DropZone, Form, PageHeader, Progress, Tabs, TextField, toast, useForm } from "../../common/ui.js";
import { leave } from "../../common/unsaved.js";
import { html, useState } from "../../common/view.js";
import { Recorder } from "./record.js";
import { ChimeField, SpeechFields } from "./voice.js";

/** The ways, by the type that comes of them. */
const WAYS = /** @type {const} */ (["tts", "uploaded", "recorded"]);

/** The page. */
export function Compose() {
  const way = WAYS.find((each) => each === query.value.get("by")) ?? "tts";
  return html`
    <${PageHeader} title=${t("announcements.new")} back=${{ href: "/announcements", text: t("announcements.title") }} />
    <${Tabs} label=${t("announcements.ways")} current=${way} onChoose=${(/** @type {string} */ by) => leave(null, () => setQuery({ by }))}
      tabs=${WAYS.map((key) => ({ key, text: t(`announcements.way_${key}`) }))} />
    <${Card} class="announcements-form">${way === "tts" ? html`<${Typed} />` : html`<${Sound} key=${way} type=${way} />`}</${Card}>`;
}

/** Title and category. @param {{ form: { of: (name: any) => any } }} props */
function Names({ form }) {
  return html`<div class="fields">
    <${TextField} label=${t("announcements.name")} hint=${t("announcements.name_hint")} required maxlength="255" ...${form.of("title")} />
    <${TextField} label=${t("announcements.category")} hint=${t("announcements.category_hint")} maxlength="100" ...${form.of("category")} />
  </div>`;
}

function Typed() {
  const form = useForm({ title: "", category: "", text: "", language: "", voice: "", chime: "none" }, async (values, sending) => {
    await api.post("/api/announcements/tts/generate/", values, sending);
    invalidate("/api/announcements/");
    toast(t("announcements.being_spoken", { title: values.title }));
    go("/announcements");
  });
  const ready = form.values.title.trim() && form.values.text.trim();
  return html`<${Form} form=${form} actions=${html`<${Button} href="/announcements">${t("common.cancel")}</${Button}><${Button}
    kind="primary" type="submit" busy=${form.busy} disabled=${!ready}>${t("announcements.save")}</${Button}>`}>
    <${Names} form=${form} /><${SpeechFields} form=${/** @type {any} */ (form)} />
  </${Form}>`;
}

/** Of a file, chosen or recorded. @param {{ type: "uploaded" | "recorded" }} props */
function Sound({ type }) {
  const [sent, setSent] = useState(/** @type {number | null} */ (null));
  const form = useForm({ title: "", category: "", chime: "none", file: /** @type {File | null} */ (null) }, async ({ file, ...values }, { key }) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) body.append(name, value);
    body.append("type", type);
    if (file) body.append("file", file, file.name);
    setSent(0);
    try {
      await upload("/api/announcements/", body, { progress: setSent, key });
    } finally {
      setSent(null);
    }
    invalidate("/api/announcements/");
    toast(t("announcements.kept", { title: values.title }));
    go("/announcements");
  });
  const take = (/** @type {File} */ next) => {
    const named = type === "uploaded" && !form.values.title;
    form.set({ file: next, ...(named && { title: next.name.replace(/\.[^.]+$/, "") }) });
  };
  const { file } = form.values;
  const wrong = form.of("file").error;
  return html`<${Form} form=${form} actions=${html`<${Button} href="/announcements">${t("common.cancel")}</${Button}><${Button}
    kind="primary" type="submit" busy=${form.busy} disabled=${!file || !form.values.title.trim()}>${t("announcements.save")}</${Button}>`}>
    ${type === "recorded"
      ? html`<${Recorder} onRecorded=${take} onAgain=${() => form.set({ file: null })} />`
      : html`<${DropZone} label=${file ? file.name : t("announcements.drop")} accept="audio/*,.mp3,.wav,.flac,.ogg,.opus,.m4a,.aac,.webm"
        onFiles=${(/** @type {File[]} */ [first]) => take(first)}>
          <span class="small">${file ? size(file.size) : t("announcements.drop_hint")}</span></${DropZone}>`}
    ${wrong && html`<p class="bad" role="alert">${wrong}</p>`}
    ${sent !== null && html`<${Progress} share=${sent < 1 ? sent : undefined} label=${t("announcements.sending")} />`}
    <${Names} form=${form} /><${ChimeField} form=${/** @type {any} */ (form)} />
  </${Form}>`;
}
