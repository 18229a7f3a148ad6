/** How a speaker is, judged by what it last said of itself. Pure; words for it stand in `en.js` and `de.js`. */

import { presence } from "../../common/live.js";

/** @typedef {import("../../common/live.js").DeviceState} DeviceState */
/** @typedef {"good" | "warn" | "bad" | "plain"} Kind */

/** Two speakers of a room further apart than this are heard as an echo; nearer than the first, as one. In µs. */
const TOGETHER_US = 5_000;
const ECHO_US = 40_000;

/**
 * One thing that there is to say of a speaker: its text is `devices.health_<code>`.
 * @typedef {{ code: string, kind: Kind, values?: Record<string, number> }} Finding
 */

/** How well its clock keeps time with the others. @param {Pick<DeviceState, "clock_state" | "clock_error_us">} state @returns {Finding} */
export function clockFinding({ clock_state: clock, clock_error_us: error }) {
  if (clock === "synced" && error !== null) {
    const code = error <= TOGETHER_US ? "together" : error <= ECHO_US ? "nearly" : "apart";
    const ms = Math.max(0.1, Math.round(error / 100) / 10);
    return { code, kind: code === "together" ? "good" : "warn", values: { ms } };
  }
  if (clock === "holdover") return { code: "holdover", kind: "warn" };
  if (clock === "untrusted") return { code: "untrusted", kind: "bad" };
  return { code: "no_clock", kind: "plain" };
}

/**
 * All there is to say of a speaker, the worst first; nothing of one that is offline, for what it said then is old.
 * @param {DeviceState} state
 * @param {number} at milliseconds by the server's clock
 * @returns {Finding[]}
 */
export function findings(state, at) {
  const how = presence(state, at);
  if (how === "offline") return [{ code: state.online_until ? "offline" : "never", kind: "bad" }];
  const { receipts_pending: receipts = 0, underruns = 0 } = state.reported ?? {};
  /** @type {Finding[]} */
  const found = [clockFinding(state)];
  if (how === "late") found.push({ code: "late", kind: "warn" });
  if (!state.in_sync) found.push({ code: "not_applied", kind: "warn" });
  // Counted since it was started, so no reason to worry for ever.
  if (underruns) found.push({ code: "underruns", kind: "plain", values: { n: underruns } });
  if (receipts) found.push({ code: "receipts", kind: "plain", values: { n: receipts } });
  const order = { bad: 0, warn: 1, good: 2, plain: 3 };
  return found.sort((one, other) => order[one.kind] - order[other.kind]);
}

/** A pairing code as people type it, in the form it is shown: two groups of four capital letters. @param {string} text */
export function codeShown(text) {
  const letters = text.toUpperCase().replace(/[^A-Z]/g, "").slice(0, 8);
  return letters.length > 4 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : letters;
}
