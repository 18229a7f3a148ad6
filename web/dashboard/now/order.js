/** Orders: an announcement now, silence, an end to it. Each says in passing what became of it. */

import "./texts.js";
import { ApiError, Unreachable, api, freshKey } from "../../common/api.js";
import { t, time } from "../../common/i18n.js";
import { invalidate } from "../../common/query.js";
import { zone } from "../../common/session.js";
import { confirmWithUndo, sentence, toast, toastError } from "../../common/ui.js";
import { addressed } from "./where.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["OrderedPlay"]} OrderedPlay */

/**
 * Plays an announcement in a few seconds, unless it is called back.
 * @param {{ id: number, title: string }} announcement
 * @param {import("./where.js").Places} places
 * @param {{ volume: number | null, where: string, seconds: number }} how volume null: each speaker's own; `where` in words
 */
export async function playSoon(announcement, places, { volume, where, seconds }) {
  const body = { ...addressed(places), ...(volume !== null && { volume }) };
  if (!seconds) return play(announcement, body).catch(toastError);
  const words = t("now.plays_soon", { title: announcement.title, where, n: seconds });
  return confirmWithUndo(words, () => play(announcement, body), { ms: seconds * 1000 });
}

/** Plays at once what cannot wait: in quiet hours too, and where it was silenced. @param {{ id: number }} announcement raises as `call` does */
export async function playEmergency(announcement) {
  told(await api.post(`/api/announcements/${announcement.id}/play/`, { all: true, priority: "emergency" }));
}

/**
 * Orders a play. Where the answer was lost it may have been ordered all the same: another try has the same key.
 * @param {{ id: number, title: string }} announcement
 * @param {Record<string, any>} body
 * @param {string} [key]
 * @returns {Promise<void>} raises as `call` does
 */
async function play(announcement, body, key = freshKey()) {
  try {
    told(await api.post(`/api/announcements/${announcement.id}/play/`, body, { key }));
  } catch (error) {
    if (error instanceof Unreachable) {
      const again = () => void play(announcement, body, key).catch(toastError);
      toast(sentence(error), { kind: "bad", ms: 15_000, action: { text: t("common.retry"), act: again } });
      return;
    }
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
