/**
 * A schedule as it is typed, and what the API takes. A number that is typed is a text until it is sent: an empty field
 * is no 0.
 */

/** @typedef {import("../../.types/api.js").components["schemas"]["Schedule"]} Schedule */
/**
 * @typedef {{ announcement: number, title: string, minutes: string, seconds: string }} DraftEntry when in the cycle,
 *   timelines only
 */
/**
 * @typedef {{ start: string, end: string, note: string }} DaysOff local dates, both included; an empty end is the same
 *   day
 */

/**
 * @typedef {object} Draft
 * @property {string} name
 * @property {"interval" | "day" | "cycle"} kind again and again; at times of day, which is a cycle of a day; or at
 *   times of a shorter cycle
 * @property {boolean} enabled
 * @property {string} interval_minutes
 * @property {string} cycle_duration_minutes
 * @property {boolean} avoid_repeat
 * @property {string | null} quiet_hours_start
 * @property {string | null} quiet_hours_end
 * @property {number[]} active_days
 * @property {DraftEntry[]} schedule_announcements
 * @property {number[]} floors
 * @property {number[]} devices
 * @property {DaysOff[]} exceptions
 */

const DAY_MINUTES = 1440;

/** A new one: every half hour, on these floors. @param {number[]} floors @returns {Draft} */
export function blank(floors) {
  return {
    name: "",
    kind: "interval",
    enabled: true,
    interval_minutes: "30",
    cycle_duration_minutes: "60",
    avoid_repeat: true,
    quiet_hours_start: null,
    quiet_hours_end: null,
    active_days: [],
    schedule_announcements: [],
    floors,
    devices: [],
    exceptions: [],
  };
}

/** One that is there, to be changed. @param {Schedule} row @returns {Draft} */
export function draftOf(row) {
  const fresh = blank([]);
  return {
    name: row.name,
    kind: row.schedule_type === "interval" ? "interval" : row.cycle_duration_minutes === DAY_MINUTES ? "day" : "cycle",
    enabled: row.enabled ?? true,
    interval_minutes: row.interval_minutes ? String(row.interval_minutes) : fresh.interval_minutes,
    cycle_duration_minutes:
      row.cycle_duration_minutes && row.cycle_duration_minutes !== DAY_MINUTES
        ? String(row.cycle_duration_minutes)
        : fresh.cycle_duration_minutes,
    avoid_repeat: row.avoid_repeat ?? true,
    quiet_hours_start: row.quiet_hours_start?.slice(0, 5) ?? null,
    quiet_hours_end: row.quiet_hours_end?.slice(0, 5) ?? null,
    active_days: row.active_days ?? [],
    schedule_announcements: (row.schedule_announcements ?? []).map((entry) => ({
      announcement: entry.announcement,
      title: entry.title,
      ...clockOf(entry.timestamp_seconds ?? 0),
    })),
    floors: row.floors ?? [],
    devices: row.devices ?? [],
    exceptions: (row.exceptions ?? []).map(({ start, end, note }) => ({
      start,
      end: end === start ? "" : (end ?? ""),
      note: note ?? "",
    })),
  };
}

/** Seconds of a cycle as they are typed. @param {number} seconds */
export function clockOf(seconds) {
  return { minutes: String(Math.floor(seconds / 60)), seconds: String(seconds % 60).padStart(2, "0") };
}

/**
 * The second of the cycle that was typed; null while nothing was.
 * @param {Pick<DraftEntry, "minutes" | "seconds">} entry
 */
export function secondOf({ minutes, seconds }) {
  return minutes === "" && seconds === "" ? null : (Number(minutes) || 0) * 60 + (Number(seconds) || 0);
}

/** A typed whole number; null for none. @param {string} text */
const whole = (text) => (text.trim() === "" || !Number.isFinite(Number(text)) ? null : Math.round(Number(text)));

/** What the API takes. Days off without a day are left out: they are not typed yet. @param {Draft} draft */
export function bodyOf(draft) {
  const timeline = draft.kind !== "interval";
  return {
    name: draft.name.trim(),
    schedule_type: timeline ? "timeline" : "interval",
    enabled: draft.enabled,
    interval_minutes: timeline ? null : whole(draft.interval_minutes),
    cycle_duration_minutes: timeline ? cycleOf(draft) : null,
    avoid_repeat: draft.avoid_repeat,
    quiet_hours_start: draft.quiet_hours_start || null,
    quiet_hours_end: draft.quiet_hours_end || null,
    active_days: draft.active_days,
    schedule_announcements: draft.schedule_announcements.map((entry) => ({
      announcement: entry.announcement,
      ...(timeline && { timestamp_seconds: secondOf(entry) }),
    })),
    floors: draft.floors,
    devices: draft.devices,
    exceptions: draft.exceptions
      .filter(({ start }) => start)
      .map(({ start, end, note }) => ({ start, end: end || start, note })),
  };
}

/** The length of the cycle in minutes; null while none was typed. @param {Draft} draft */
const cycleOf = (draft) => (draft.kind === "day" ? DAY_MINUTES : whole(draft.cycle_duration_minutes));

/**
 * A second of the day as a time field has it: 17:45, or 17:45:30.
 * @param {Pick<DraftEntry, "minutes" | "seconds">} entry
 */
export function timeOf(entry) {
  const second = secondOf(entry);
  if (second === null) return "";
  const parts = [Math.floor(second / 3600), Math.floor(second / 60) % 60, ...(second % 60 ? [second % 60] : [])];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** What a time field says, as it is typed in a cycle. @param {string} time */
export function clockOfTime(time) {
  if (!time) return { minutes: "", seconds: "" };
  const [hours, minutes, seconds = 0] = time.split(":").map(Number);
  return clockOf(hours * 3600 + minutes * 60 + seconds);
}

/**
 * Where one more announcement would stand: at nine and then each hour of a day, quarter by quarter of a shorter cycle.
 * @param {Draft} draft
 */
export function nextSecond(draft) {
  const seconds = (cycleOf(draft) ?? 60) * 60;
  const there = draft.schedule_announcements.map((entry) => secondOf(entry) ?? 0);
  if (!there.length) return draft.kind === "day" ? 9 * 3600 : 0;
  const step = draft.kind === "day" ? 3600 : Math.max(60, Math.floor(seconds / 4 / 60) * 60);
  return Math.min(Math.max(...there) + step, Math.max(0, seconds - 1));
}

/** @typedef {import("../../.types/api.js").components["schemas"]["Occurrence"]} Occurrence */

/**
 * Occurrences by the local day on which they are, in order: `[["2026-07-01", […]], …]`.
 * @param {Occurrence[]} occurrences
 * @returns {[day: string, Occurrence[]][]}
 */
export function byDay(occurrences) {
  /** @type {Map<string, Occurrence[]>} */
  const days = new Map();
  for (const each of occurrences) {
    const day = each.local_time.slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), each]);
  }
  return [...days];
}

/** @typedef {{ code: string, message: string, n: number }} Why a reason, and on how many speakers */

/**
 * What became of an occurrence that is past: left out for a reason of the rules, or what its speakers made of it.
 * @param {Occurrence} occurrence
 * @returns {{ fate: "heard" | "partly" | "missed" | "left_out" | "open", reasons: Why[] }}
 */
export function fateOf({ outcome, reason, message, plays }) {
  if (outcome === "suppressed") return { fate: "left_out", reasons: [{ code: reason, message, n: 0 }] };
  /** @type {Map<string, Why>} */
  const reasons = new Map();
  for (const play of plays) {
    if (play.status !== "failed") continue;
    const { reason: code = "", message: words = "" } = play;
    const found = reasons.get(code) ?? { code, message: words, n: 0 };
    reasons.set(code, { ...found, n: found.n + 1 });
  }
  const heard = plays.filter((play) => play.status === "completed").length;
  const failed = plays.filter((play) => play.status === "failed").length;
  const fate = heard ? (failed ? "partly" : "heard") : failed ? "missed" : "open";
  return { fate, reasons: [...reasons.values()].sort((one, other) => other.n - one.n) };
}
