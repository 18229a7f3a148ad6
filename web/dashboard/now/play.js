/** The dialogs of "Play now" and "Emergency". */

import "./texts.js";
import { t } from "../../common/i18n.js";
import { devices } from "../../common/live.js";
import { useQuery } from "../../common/query.js";
import { me } from "../../common/session.js";
import { keep, kept } from "../../common/stored.js";
import { Button, Dialog, Notice, Segments, Skeleton, Slider, Switch, toastError } from "../../common/ui.js";
import { silence } from "../../common/ui/sound.js";
import { html, useEffect, useState } from "../../common/view.js";
import { Choice, playable } from "../announcements/choice.js";
import { playEmergency, playSoon } from "./order.js";
import { EVERYWHERE, Where, inWords } from "./where.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Announcement"]} Announcement */
/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */

/** Seconds in which a play can be called back: what is offered, and what this browser chose last. */
const DELAYS = ["0", "5", "15", "60"];
const DELAY = "play-delay";

/**
 * Which, where, how loud, how soon. With an `announcement`, all but which; with a `floor`, that one is chosen.
 * @param {{ floor?: number, announcement?: { id: number, title: string }, onClose: () => void }} props
 */
export function PlayDialog({ floor, announcement, onClose }) {
  const floors = /** @type {Floor[]} */ (useQuery("/api/floors/?ordering=name&page_size=200").data?.results ?? []);
  const [places, setPlaces] = useState(floor ? { ...EVERYWHERE, floors: [floor] } : EVERYWHERE);
  const [volume, setVolume] = useState(/** @type {number | null} */ (null));
  const before = kept(DELAY) ?? "";
  const [delay, setDelay] = useState(DELAYS.includes(before) ? before : "5");
  const where = inWords(places, floors, [...devices.value.values()]);
  useEffect(() => silence, []);
  const start = (/** @type {{ id: number, title: string }} */ which) => {
    onClose();
    keep(DELAY, delay);
    void playSoon(which, places, { volume, where, seconds: Number(delay) });
  };
  const loud = volume === null ? t("now.own_volume_short") : t("now.volume_at", { n: volume });
  const soon = delay === "0" ? t("now.at_once") : t("now.undo_for", { n: Number(delay) });
  return html`<${Dialog} title=${announcement ? t("now.play_title", { title: announcement.title }) : t("now.play_now")} onClose=${onClose}
    wide=${!announcement}>
    ${(floors.length > 1 || devices.value.size > 1) && html`<${Where} places=${places} onPlaces=${setPlaces} floors=${floors} />`}
    <details class="now-how"><summary>${loud} · ${soon}</summary><div class="stack">
      <${Switch} label=${t("now.own_volume")} checked=${volume === null} onValue=${(/** @type {boolean} */ own) => setVolume(own ? null : 60)} />
      ${volume !== null && html`<${Slider} label=${t("now.volume")} value=${volume} onValue=${setVolume} />`}
      <div class="stack tight"><span class="strong" aria-hidden="true">${t("now.undo_time")}</span><${Segments} label=${t("now.undo_time")} value=${delay}
        options=${DELAYS.map((key) => [key, key === "0" ? t("now.at_once") : t("now.seconds", { n: Number(key) })])} onValue=${setDelay} /></div>
    </div></details>
    ${announcement
      ? html`<div class="actions"><${Button} onClick=${onClose}>${t("common.cancel")}</${Button}><${Button} kind="primary" icon="now"
        onClick=${() => start(announcement)}>${t("now.play")}</${Button}></div>`
      : html`<${Choice} act=${(/** @type {Announcement} */ each) => html`<${Button} kind="primary" icon="now"
        aria-label=${t("now.play_title", { title: each.title })} onClick=${() => start(each)}>${t("now.play")}</${Button}>`} />`}
  </${Dialog}>`;
}

/** What emergencies are called, in the languages of the pages: announcements of these categories stand ready. */
const EMERGENCIES = ["emergency", "notfall"];

/** Announcements made for emergencies; undefined until all have been asked for. */
function useEmergencies() {
  const lists = EMERGENCIES.map((name) => useQuery(`/api/announcements/?category=${name}&ordering=title&page_size=50`));
  if (lists.some((list) => !list.data && !list.error)) return undefined;
  return /** @type {Announcement[]} */ (lists.flatMap((list) => list.data?.results ?? [])).filter(playable);
}

/** The emergency: one announcement, on all speakers that one may see, asked once more. @param {{ onClose: () => void }} props */
export function EmergencyDialog({ onClose }) {
  const urgent = useEmergencies();
  const [picked, setPicked] = useState(/** @type {Announcement | null} */ (null));
  const [choosing, setChoosing] = useState(false);
  const [busy, setBusy] = useState(false);
  const chosen = picked ?? urgent?.[0];
  useEffect(() => silence, []);
  const go = async () => {
    if (!chosen) return;
    setBusy(true);
    try {
      await playEmergency(chosen);
      onClose();
    } catch (problem) {
      toastError(problem);
      setBusy(false);
    }
  };
  const pick = (/** @type {Announcement} */ each) => {
    setPicked(each);
    setChoosing(false);
  };
  const where = me.value?.floor ? me.value.floor.name : t("now.everywhere");
  if (!urgent) return html`<${Dialog} title=${t("now.emergency")} onClose=${onClose}><${Skeleton} lines=${2} /></${Dialog}>`;
  if (choosing || !chosen) return html`<${Dialog} title=${t("now.emergency_which")} onClose=${onClose} wide>
    ${!urgent.length && html`<${Notice}>${t("now.emergency_hint")}</${Notice}>`}
    <${Choice} act=${(/** @type {Announcement} */ each) => html`<${Button} aria-label=${t("now.choose_of", { title: each.title })}
      onClick=${() => pick(each)}>${t("now.choose")}</${Button}>`} />
  </${Dialog}>`;
  return html`<${Dialog} title=${t("now.emergency")} onClose=${onClose}>
    <${Notice} kind="bad">${t("now.emergency_text")}</${Notice}>
    ${urgent.length > 1 && html`<${Segments} label=${t("now.which")} value=${String(chosen.id)} options=${urgent.slice(0, 4).map((each) => [String(each.id), each.title])}
      onValue=${(/** @type {string} */ id) => setPicked(urgent.find((each) => String(each.id) === id) ?? null)} />`}
    <div><p class="strong">${chosen.title}</p>${chosen.text && html`<blockquote class="now-words">${chosen.text}</blockquote>`}</div>
    <div><${Button} kind="plain" onClick=${() => setChoosing(true)}>${t("now.emergency_other")}</${Button}></div>
    <div class="actions"><${Button} onClick=${onClose}>${t("common.cancel")}</${Button}>
      <${Button} kind="danger" icon="emergency" busy=${busy} onClick=${go}>${t("now.emergency_go", { where })}</${Button}></div>
  </${Dialog}>`;
}
