/** What was spent, as text and as a share of what may be. */

import { number } from "../../common/i18n.js";

/** Dollars. @param {string | number} value @param {number} [digits] */
export const usd = (value, digits = 2) =>
  number(Number(value), { style: "currency", currency: "USD", maximumFractionDigits: digits });

/**
 * How full a bar is, 0 to 1. Without a limit nothing is left, so it is full.
 * @param {number} used
 * @param {number} limit
 */
export const shareOf = (used, limit) => (limit > 0 ? Math.min(1, used / limit) : 1);

/** @param {number} share @returns {"good" | "warn" | "bad"} */
export const kindOf = (share) => (share >= 1 ? "bad" : share >= 0.8 ? "warn" : "good");
