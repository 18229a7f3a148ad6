/** The first minutes of a new business: a floor, a speaker, a first sound. */

import "./texts.js";
import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { me } from "../../common/session.js";
import { Button, Form, Icon, Notice, TextArea, TextField, sentence, useForm } from "../../common/ui.js";
import { classes, html, useEffect, useState } from "../../common/view.js";
import { Arriving, PairForm } from "../devices/pair.js";
import { why } from "../plays/words.js";

/** @typedef {import("../../common/view.js").Children} Children */
/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */
/** @typedef {import("../../.types/api.js").components["schemas"]["Device"]} Device */
/** @typedef {import("../../.types/api.js").components["schemas"]["PlayEvent"]} PlayEvent */

/**
 * The steps, of which one is open: the first that is not done.
 * @param {{ floors: Floor[], speakers: Device[], onDone: () => void }} props
 */
export function Guide({ floors, speakers, onDone }) {
  const [heard, setHeard] = useState(false);
  const step = !floors.length ? 1 : !speakers.length ? 2 : heard ? 4 : 3;
  return html`<section class="card now-guide" aria-labelledby="now-guide">
    <div class="stack tight"><h2 id="now-guide">${t("now.guide_title")}</h2><p class="quiet">${t("now.guide_text")}</p></div>
    <ol>
      <${Step} number=${1} at=${step} title=${t("now.guide_floor")} done=${floors[0]?.name}><${FirstFloor} /></${Step}>
      <${Step} number=${2} at=${step} title=${t("now.guide_speaker")} done=${speakers[0]?.name}><${PairForm} floor=${floors[0]?.id}
        onPaired=${() => {}} /></${Step}>
      <${Step} number=${3} at=${step} title=${t("now.guide_sound")} done=${t("now.guide_sounded")}>
        <${FirstSound} speaker=${speakers[0]} onHeard=${() => setHeard(true)} />
      </${Step}>
    </ol>
    ${step === 4 && html`<${Notice} kind="good" role="status">${t("now.guide_done")}</${Notice}>
      <div class="row wrap"><${Button} icon="music" href="/music">${t("now.guide_to_music")}</${Button}><${Button} icon="schedule"
        href="/schedules">${t("now.guide_to_schedules")}</${Button}>
        <${Button} kind="primary" onClick=${onDone}>${t("now.guide_close")}</${Button}></div>`}
  </section>`;
}

/** @param {{ number: number, at: number, title: string, done?: string, children?: Children }} props */
function Step({ number, at, title, done, children }) {
  const state = number < at ? "done" : number === at ? "open" : "later";
  return html`<li class=${classes("now-step", state)} aria-current=${state === "open" ? "step" : undefined}>
    <span class="now-step-mark" aria-hidden="true">${state === "done" ? html`<${Icon} name="check" />` : number}</span>
    <div class="stack grow"><h3>${title}${state === "done" && done && html`<span
      class="quiet"> · ${done}</span>`}</h3>${state === "open" && children}</div>
  </li>`;
}

function FirstFloor() {
  const form = useForm({ name: t("now.guide_floor_name") }, async (values, sending) => {
    await api.post("/api/floors/", values, sending);
    invalidate("/api/floors/");
  }, { guarded: false });
  return html`<p class="quiet">${t("now.guide_floor_text")}</p>
    <${Form} form=${form} actions=${html`<${Button} kind="primary" type="submit" busy=${form.busy}>${t("now.guide_next")}</${Button}>`}>
      <${TextField} label=${t("now.floor_name")} required maxlength="255" ...${form.of("name")} />
    </${Form}>`;
}

/** Words that are spoken, and played as soon as they are. @param {{ speaker: Device, onHeard: () => void }} props */
function FirstSound({ speaker, onHeard }) {
  const [id, setId] = useState(/** @type {number | null} */ (null));
  const [play, setPlay] = useState("");
  const [wrong, setWrong] = useState("");
  const made = useQuery(id === null ? null : `/api/announcements/${id}/`).data;
  const events = /** @type {PlayEvent[]} */ (useQuery(play ? `/api/play-events/?play_id=${play}` : null).data?.results ?? []);
  const form = useForm({ text: t("now.guide_words", { business: me.value?.client?.business_name ?? "" }) }, async ({ text }, sending) => {
    setWrong("");
    const announcement = await api.post("/api/announcements/tts/generate/", { title: t("now.guide_announcement"), text }, sending);
    invalidate("/api/announcements/");
    setId(announcement.id);
  }, { guarded: false });
  const status = made?.status;
  useEffect(() => {
    if (status === "failed") return startOver(made.failure_detail);
    if (status !== "ready" || play) return;
    api.post(`/api/announcements/${made.id}/play/`, { all: true }).then((ordered) => setPlay(ordered.play_id), (error) => startOver(sentence(error)));
  }, [status]);
  const ended = events.length > 0 && events.every((each) => each.status === "completed" || each.status === "failed");
  useEffect(() => {
    if (!ended) return;
    if (events.some((each) => each.status === "completed")) onHeard();
    else startOver(why(events[0].reason ?? "", events[0].error_message));
  }, [ended]);
  const startOver = (/** @type {string} */ words) => {
    setWrong(words);
    setId(null);
    setPlay("");
  };
  const stage = play ? "now.guide_playing" : id !== null ? "now.guide_speaking" : "";
  return html`<${Arriving} device=${speaker} />
    <p class="quiet">${t("now.guide_sound_text")}</p>
    ${wrong && html`<${Notice} kind="bad" role="alert">${wrong}</${Notice}>`}
    <${Form} form=${form} actions=${html`<${Button} kind="primary" icon="now" type="submit"
      busy=${form.busy || stage !== ""}>${t("now.guide_go")}</${Button}>
      ${stage && html`<span class="quiet" role="status">${t(stage)}</span>`}`}>
      <${TextArea} label=${t("now.guide_text_label")} rows="2" maxlength="300" ...${form.of("text")} />
    </${Form}>`;
}
