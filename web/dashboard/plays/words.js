/** Plays as people speak of them: what became of one, what kind it is, and why it was not heard. */

import { addTexts, has, t } from "../../common/i18n.js";
import de from "./de.js";
import en from "./en.js";

addTexts({ en, de });

/** @typedef {"pending" | "delivered" | "playing" | "completed" | "failed"} Status */

/** All states, in the order of a play's life. @type {Status[]} */
export const STATUSES = ["pending", "delivered", "playing", "completed", "failed"];

/** All kinds, the most urgent first. */
export const PRIORITIES = ["emergency", "instant", "timeline", "interval", "playlist"];

/** All reasons for which a play may not be heard, or not whole. */
export const REASONS = Object.keys(en)
  .filter((key) => key.startsWith("plays.reason_"))
  .map((key) => key.slice("plays.reason_".length));

/** How each state is coloured. @type {Record<Status, "good" | "warn" | "bad" | "accent" | "plain">} */
export const KIND_OF = { pending: "plain", delivered: "plain", playing: "accent", completed: "good", failed: "bad" };

/**
 * Why something is not heard, as a sentence; a reason that this page does not know yet in the server's own words.
 * @param {string} code
 * @param {string} [message]
 */
export function why(code, message = "") {
  const key = `plays.reason_${code}`;
  return has(key) ? t(key) : message || code;
}

/** What became of a play, in a word. @param {string} status */
export const statusInWords = (status) => t(`plays.status_${status}`);

/** What kind of play it is, in a word. @param {string} priority */
export const priorityInWords = (priority) => t(`plays.priority_${priority}`);
