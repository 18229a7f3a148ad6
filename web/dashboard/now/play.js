/** The dialogs of "Play now" and "Emergency". */

import "./texts.js";
import { length, t } from "../../common/i18n.js";
import { devices } from "../../common/live.js";
import { useQuery } from "../../common/query.js";
import { may, me } from "../../common/session.js";
import { Button, Dialog, EmptyState, Failed, Notice, Select, Skeleton, Slider, Switch, TextField, sentence, toastError } from "../../common/ui.js";
import { Player, silence } from "../../common/ui/sound.js";
import { html, useEffect, useState } from "../../common/view.js";
import { playEmergency, playSoon } from "./order.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Announcement"]} Announcement */
/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */

/** From so many on, a list has a field to search in. */
const MANY = 8;

/** Announcements that can be played now. */
function usePlayable() {
  const query = useQuery("/api/announcements/?enabled=true&ordering=title&page_size=200");
  return { ...query, rows: /** @type {Announcement[] | undefined} */ (query.data?.results.filter((/** @type {Announcement} */ each) => each.playable)) };
}

/** Where one may play, each with its name. @returns {[string, string][]} */
function useTargets() {
  const floors = /** @type {Floor[]} */ (useQuery("/api/floors/?page_size=200").data?.results ?? []);
  const speakers = [...devices.value.values()];
  /** @type {[string, string][]} */
  const targets = floors.flatMap((floor) => [
    [`floor:${floor.id}`, floor.name],
    .../** @type {[string, string][]} */ (speakers.filter((each) => each.floor === floor.id).map((each) => [`device:${each.id}`, t("now.one_speaker", { floor: floor.name, name: each.name })])),
  ]);
  return floors.length > 1 ? [["all", t("now.everywhere")], ...targets] : targets;
}

/**
 * Which, where, how loud. With an `announcement`, only where and how loud; with a `floor`, that one is chosen.
 * @param {{ floor?: number, announcement?: { id: number, title: string }, onClose: () => void }} props
 */
export function PlayDialog({ floor, announcement, onClose }) {
  const [target, setTarget] = useState(floor ? `floor:${floor}` : "");
  const [own, setOwn] = useState(true);
  const [volume, setVolume] = useState(60);
  const targets = useTargets();
  const chosen = target || targets[0]?.[0] || "all";
  useEffect(() => silence, []);
  const start = (/** @type {{ id: number, title: string }} */ which) => {
    onClose();
    const where = targets.find(([key]) => key === chosen)?.[1] ?? t("now.everywhere");
    void playSoon(which, chosen, { volume: own ? null : volume, where });
  };
  return html`<${Dialog} title=${announcement ? t("now.play_title", { title: announcement.title }) : t("now.play_now")} onClose=${onClose}
    wide=${!announcement}>
    <div class="fields">
      ${targets.length > 1 && html`<${Select} label=${t("now.where")} value=${chosen} options=${targets} onValue=${setTarget} />`}
      <div class="stack tight">
        ${own ? html`<span class="strong" aria-hidden="true">${t("now.volume")}</span>` : html`<${Slider} label=${t("now.volume")}
          value=${volume} onValue=${setVolume} />`}
        <${Switch} label=${t("now.own_volume")} checked=${own} onValue=${setOwn} />
      </div>
    </div>
    ${announcement
      ? html`<div class="actions"><${Button} onClick=${onClose}>${t("common.cancel")}</${Button}><${Button} kind="primary" icon="now"
        onClick=${() => start(announcement)}>${t("now.play")}</${Button}></div>`
      : html`<${Choice} act=${(/** @type {Announcement} */ each) => html`<${Button} kind="primary" size="small" icon="now"
        aria-label=${t("now.play_title", { title: each.title })} onClick=${() => start(each)}>${t("now.play")}</${Button}>`} />`}
  </${Dialog}>`;
}

/** The announcements to choose from. @param {{ act: (each: Announcement) => any }} props */
function Choice({ act }) {
  const { rows, error, reload } = usePlayable();
  const [wanted, setWanted] = useState("");
  if (!rows) return error ? html`<${Failed} words=${sentence(error)} onRetry=${reload} />` : html`<${Skeleton} />`;
  if (!rows.length) {
    const make = may("announcements.manage") && html`<${Button} kind="primary" icon="add"
      href="/announcements/new">${t("now.make_announcement")}</${Button}>`;
    return html`<${EmptyState} icon="announcement" title=${t("now.nothing_to_play")}
      action=${make}>${t("now.nothing_to_play_text")}</${EmptyState}>`;
  }
  const found = rows.filter((each) => `${each.title} ${each.category}`.toLowerCase().includes(wanted.trim().toLowerCase()));
  return html`
    ${rows.length >= MANY && html`<${TextField} type="search" label=${t("now.search")} value=${wanted} onValue=${setWanted} />`}
    <ul class="list card flush">
      ${found.map((each) => html`<li key=${each.id} class="now-choice">
        <div class="grow"><div class="strong cut">${each.title}</div><div
          class="small quiet">${[each.category, length(each.duration_ms)].filter(Boolean).join(" · ")}</div></div>
        <${Player} url=${each.audio_url} label=${each.title} lengthMs=${each.duration_ms} />
        ${act(each)}
      </li>`)}
    </ul>
    ${found.length === 0 && html`<p class="quiet">${t("now.not_found")}</p>`}`;
}

/** The emergency: one announcement, on all speakers that one may see, asked once more. @param {{ onClose: () => void }} props */
export function EmergencyDialog({ onClose }) {
  const { rows, error, reload } = usePlayable();
  const [id, setId] = useState("");
  const [busy, setBusy] = useState(false);
  const sorted = [...(rows ?? [])].sort((one, other) => Number(urgent(other)) - Number(urgent(one)));
  const chosen = sorted.find((each) => String(each.id) === id) ?? sorted[0];
  const go = async () => {
    setBusy(true);
    try {
      await playEmergency(chosen);
      onClose();
    } catch (problem) {
      toastError(problem);
      setBusy(false);
    }
  };
  const where = me.value?.floor ? me.value.floor.name : t("now.everywhere");
  return html`<${Dialog} title=${t("now.emergency")} onClose=${onClose}>
    <${Notice} kind="bad">${t("now.emergency_text")}</${Notice}>
    ${!rows && (error ? html`<${Failed} words=${sentence(error)} onRetry=${reload} />` : html`<${Skeleton} lines=${1} />`)}
    ${rows && !chosen && html`<p>${t("now.nothing_to_play_text")}</p>`}
    ${chosen && html`
      <${Select} label=${t("now.which")} value=${chosen.id} onValue=${setId} options=${sorted.map((each) => [each.id, each.title])}
        hint=${urgent(chosen) ? "" : t("now.emergency_hint")} />
      ${chosen.text && html`<blockquote class="now-words">${chosen.text}</blockquote>`}`}
    <div class="actions"><${Button} onClick=${onClose}>${t("common.cancel")}</${Button}>
      <${Button} kind="danger" icon="emergency" disabled=${!chosen} busy=${busy}
        onClick=${go}>${t("now.emergency_go", { where })}</${Button}></div>
  </${Dialog}>`;
}

/** Whether it was made for emergencies: by its category. @param {Announcement} each */
const urgent = (each) => /emergency|notfall|evacuat|evakuier|fire|feuer/i.test(`${each.category}`);
