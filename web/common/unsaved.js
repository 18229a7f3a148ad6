/**
 * What was filled in and not sent: nobody loses it without being asked. Forms hold it here; the ways out ask: another
 * address of the page, a dialog that is closed, a tab that is reloaded or closed.
 */

import { signal } from "../vendor/signals.js";
import { leaving } from "./router.js";

/** @typedef {{ element: () => Element | null, dirty: () => boolean }} Held something filled in, and where it stands */

/** @type {Set<Held>} */
const all = new Set();
/** @type {Set<() => boolean>} */
const underWay = new Set();

/** What waits for an answer: whether to leave, and what then happens; null: nothing is asked. */
export const asked = signal(/** @type {{ then: () => void } | null} */ (null));

/** Holds something, until what this gives is called. @param {Held} held */
export function hold(held) {
  all.add(held);
  return () => void all.delete(held);
}

/**
 * Work that a reload would end, though another page of ours may be shown meanwhile: files being sent.
 * @param {() => boolean} going
 */
export function holdTab(going) {
  underWay.add(going);
}

/** Whether something is unsaved, in this part of the page or anywhere. @param {Element | null} [within] */
export function unsaved(within = null) {
  return [...all].some(({ element, dirty }) => (!within || within.contains(element())) && dirty());
}

/**
 * Leaves a part of the page, or the page: at once, or once a person has agreed to lose what is unsaved there.
 * @param {Element | null} within
 * @param {() => void} then
 */
export function leave(within, then) {
  if (unsaved(within)) asked.value = { then };
  else then();
}

leaving.held = unsaved;
leaving.ask = (then) => leave(null, then);

globalThis.addEventListener?.("beforeunload", (event) => {
  if (unsaved() || [...underWay].some((going) => going())) event.preventDefault();
});
