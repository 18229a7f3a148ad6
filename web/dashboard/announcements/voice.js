/** How words become speech: language, voice and chime; hearing them first; having them drafted. */

import "./texts.js";
import { api } from "../../common/api.js";
import { language as page, number, t } from "../../common/i18n.js";
import { useQuery } from "../../common/query.js";
import { look, me } from "../../common/session.js";
import { Button, Dialog, Form, Notice, Select, Slider, TextArea, sentence, useForm } from "../../common/ui.js";
import { Player, hear } from "../../common/ui/sound.js";
import { html, useState } from "../../common/view.js";
import { spokenSeconds, voicesFor } from "./words.js";

/** @typedef {import("./words.js").Voice} Voice */
/** @typedef {import("../../.types/api.js").components["schemas"]["Preview"]} Preview */
/** @typedef {import("../../.types/api.js").components["schemas"]["Draft"]} Draft */
/** @typedef {{ values: Record<string, any>, set: (some: Record<string, any>) => void, of: (name: string) => any }} SomeForm a `useForm` with these fields */

/** So much of a text can be heard first. */
const PREVIEW_LETTERS = 300;

/** The languages of these voices by name, the page's own first. @param {Voice[]} voices @returns {[string, string][]} */
function languagesOf(voices) {
  const names = new Intl.DisplayNames(page.value, { type: "language" });
  const codes = [...new Set([page.value, ...voices.map((voice) => voice.language.split("-")[0])])].filter((code) => code && code !== "mul");
  return codes.map((code) => [code, names.of(code) ?? code]);
}

/** The field of the chime. @param {{ form: SomeForm }} props */
export function ChimeField({ form }) {
  const options = ["none", "ding", "ding_dong", "three_tone"].map((key) => [key, t(`announcements.chime_${key}`)]);
  return html`<${Select} label=${t("announcements.chime")} options=${options} ...${form.of("chime")} />`;
}

/** The fields `text`, `language`, `voice` and `chime` of a form, with an ear and a helping hand. @param {{ form: SomeForm }} props */
export function SpeechFields({ form }) {
  const [drafting, setDrafting] = useState(false);
  const voices = /** @type {Voice[]} */ (useQuery("/api/announcements/tts/voices/?page_size=200", { topics: [] }).data?.results ?? []);
  const { text, language, voice } = form.values;
  const speaking = language || page.value;
  /** @type {[string, string][]} */
  const choice = voicesFor(voices, speaking).map((each) => [each.id, [each.name, each.gender && t(`announcements.voice_${each.gender}`), each.free ? t("announcements.voice_free") : each.engine].filter(Boolean).join(" · ")]);
  const seconds = spokenSeconds(text);
  return html`
    <${TextArea} label=${t("announcements.text")} rows="4" required
      hint=${seconds ? t("announcements.seconds", { n: seconds }) : t("announcements.text_hint")} ...${form.of("text")} />
    <div class="row wrap"><${Listen} text=${text} voice=${voice} language=${language} /><${Button} kind="plain" icon="sparkle"
      onClick=${() => setDrafting(true)}>${t("announcements.draft")}</${Button}></div>
    <div class="fields">
      <${Select} label=${t("announcements.language")} options=${[["", t("announcements.language_auto")], ...languagesOf(voices)]}
        ...${form.of("language")}
        onValue=${(/** @type {string} */ next) => form.set({ language: next, voice: "" })} />
      <${Select} label=${t("announcements.voice")} options=${[["", t("announcements.voice_best")], ...choice]} ...${form.of("voice")} />
      <${ChimeField} form=${form} />
    </div>
    ${drafting && html`<${DraftDialog} language=${speaking} onDraft=${(/** @type {string} */ words) => form.set({ text: words })}
      onClose=${() => setDrafting(false)} />`}`;
}

/** Hears the beginning of a text. @param {{ text: string, voice: string, language: string }} props */
function Listen({ text, voice, language }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const [preview, setPreview] = useState(/** @type {(Preview & { of: string }) | null} */ (null));
  const of = JSON.stringify([text, voice, language]);
  const listen = async () => {
    setBusy(true);
    setWrong("");
    try {
      const made = await api.post("/api/announcements/tts/preview/", { text: text.slice(0, PREVIEW_LETTERS), voice, language });
      setPreview({ ...made, of });
      hear(made.audio_url);
      if (made.speech.credits) void look();
    } catch (error) {
      setWrong(sentence(error));
    }
    setBusy(false);
  };
  return html`<div class="announcements-listen">
    ${preview?.of === of
      ? html`<${Player} url=${preview.audio_url} label=${t("announcements.preview")} lengthMs=${preview.duration_ms} eager />`
      : html`<${Button} icon="play" busy=${busy} disabled=${!text.trim()}
        onClick=${listen}>${t(busy ? "announcements.speaking" : "announcements.listen")}</${Button}>`}
    ${wrong && html`<span class="small bad" role="alert">${wrong}</span>`}
  </div>`;
}

/** Has a text drafted. @param {{ language: string, onDraft: (text: string) => void, onClose: () => void }} props */
function DraftDialog({ language, onDraft, onClose }) {
  const tones = ["friendly", "matter-of-fact", "festive", "urgent"];
  const form = useForm({ purpose: "", tone: tones[0], max_seconds: 15 }, async (values, sending) => {
    const draft = /** @type {Draft} */ (await api.post("/api/announcements/draft/", { ...values, language }, sending));
    onDraft(draft.text);
    void look();
    onClose();
  });
  return html`<${Dialog} title=${t("announcements.draft")} onClose=${onClose}>
    <${Form} form=${form} actions=${html`<${Button} onClick=${onClose}>${t("common.cancel")}</${Button}><${Button} kind="primary"
      type="submit" icon="sparkle" busy=${form.busy} disabled=${!form.values.purpose.trim()}>${t("announcements.draft_go")}</${Button}>`}>
      <${TextArea} label=${t("announcements.purpose")} hint=${t("announcements.purpose_hint")} maxlength="500" required
        ...${form.of("purpose")} />
      <div class="fields">
        <${Select} label=${t("announcements.tone")}
          options=${tones.map((tone) => [tone, t(`announcements.tone_${tone.replaceAll("-", "_")}`)])} ...${form.of("tone")} />
        <${Slider} label=${t("announcements.at_most")} min=${5} max=${60} step=${5} unit=" s" ...${form.of("max_seconds")} />
      </div>
      <${Notice}>${t("announcements.draft_cost", { credits: number(me.value?.client?.ai_credits ?? 0) })}</${Notice}>
    </${Form}>
  </${Dialog}>`;
}
