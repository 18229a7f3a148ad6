/** Orders: an announcement now, silence, an end to it. Each says in passing what became of it. */

import "./texts.js";
import { ApiError, api } from "../../common/api.js";
import { t, time } from "../../common/i18n.js";
import { invalidate } from "../../common/query.js";
import { zone } from "../../common/session.js";
import { confirmWithUndo, toast, toastError } from "../../common/ui.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["OrderedPlay"]} OrderedPlay */

/**
 * Where to play: everywhere, a floor, or one speaker; its text is `all`, `floor:3` or `device:12`.
 * @typedef {string} Target
 */

/** A target in the words of the API. @param {Target} target */
export function addressed(target) {
  const [kind, id] = target.split(":");
  if (kind === "floor") return { floors: [Number(id)] };
  return kind === "device" ? { devices: [Number(id)] } : { all: true };
}

/**
 * Plays an announcement in a few seconds, unless it is called back.
 * @param {{ id: number, title: string }} announcement
 * @param {Target} target
 * @param {{ volume?: number | null, where: string }} how volume null: each speaker's own; `where` in words
 */
export function playSoon(announcement, target, { volume = null, where }) {
  const body = { ...addressed(target), ...(volume !== null && { volume }) };
  return confirmWithUndo(t("now.plays_soon", { title: announcement.title, where }), () => play(announcement, body));
}

/** Plays at once what cannot wait: in quiet hours too, and where it was silenced. @param {{ id: number }} announcement raises as `call` does */
export async function playEmergency(announcement) {
  told(await api.post(`/api/announcements/${announcement.id}/play/`, { all: true, priority: "emergency" }));
}

/** @param {{ id: number, title: string }} announcement @param {Record<string, any>} body */
async function play(announcement, body) {
  try {
    told(await api.post(`/api/announcements/${announcement.id}/play/`, body));
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "quiet_hours") throw error;
    const anyway = () => void play(announcement, { ...body, override_quiet_hours: true }).catch(toastError);
    toast(t("now.quiet_hours_now", { title: announcement.title }), { kind: "bad", ms: 15_000, action: { text: t("now.play_anyway"), act: anyway } });
  }
}

/** @param {OrderedPlay} ordered */
function told(ordered) {
  const { devices, offline } = ordered;
  toast(offline === 0 ? t("now.on_its_way", { n: devices }) : t("now.on_its_way_some", { n: devices - offline, offline }));
  invalidate("/api/play-events/");
}

/**
 * Silences a floor; null: until somebody lifts it.
 * @param {{ id: number, name: string }} floor
 * @param {Date | null} until
 */
export async function silenceFloor(floor, until) {
  try {
    await api.post(`/api/floors/${floor.id}/stop/`, { until: until?.toISOString() ?? null });
    const text = until ? t("now.silenced_until", { floor: floor.name, time: time(until, { zone: zone.value }) }) : t("now.silenced", { floor: floor.name });
    toast(text, { ms: 8000, action: { text: t("now.lift"), act: () => void liftSilence(floor) } });
    invalidate(`/api/floors/${floor.id}/timeline/`);
  } catch (error) {
    toastError(error);
  }
}

/** Ends the silence that a person ordered. @param {{ id: number, name: string }} floor */
export async function liftSilence(floor) {
  try {
    await api.post(`/api/floors/${floor.id}/resume/`, {});
    toast(t("now.lifted", { floor: floor.name }));
    invalidate(`/api/floors/${floor.id}/timeline/`);
  } catch (error) {
    toastError(error);
  }
}
