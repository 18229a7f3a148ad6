/**
 * The plan document of this speaker, and what can be asked of it.
 *
 * Instants are µs UTC, durations ms, gains dB; all intervals are half-open. A plan outlives its validity: when
 * no newer one can be had, its programme goes round again by whole days (or by its own length if it is shorter),
 * so that a shop without a network is not silent. Occurrences are never repeated: each is one event.
 */

import { DocumentError, decimal, flag, integer, listOf, nullable, oneOf, optional, shape, text } from "./documents.js";

/** The version of the plan that this speaker reads. */
export const VERSION = 1;
export const DAY_US = 86_400_000_000;

export const priority = oneOf("emergency", "instant", "timeline", "interval", "playlist");
export const late = oneOf("skip", "join");

export const desired = shape({
  rev: integer,
  volume: integer,
  muted: optional(flag, false),
  output_delay_ms: optional(integer, 0),
  silenced: optional(flag, false),
});

const asset = shape({
  sha256: text,
  bytes: integer,
  mime: text,
  duration_ms: integer,
  gain_db: decimal,
  url: optional(text, ""),
  url_expires_at: optional(integer, 0),
});

const segment = shape({
  id: text,
  kind: oneOf("music", "announcement"),
  sha256: text,
  start_at: integer,
  end_at: integer,
  offset_ms: optional(integer, 0),
  fade_in_ms: optional(integer, 0),
  fade_out_ms: optional(integer, 0),
  music_id: nullable(integer),
  announcement_id: nullable(integer),
  event_id: nullable(text),
  title: optional(text, ""),
  artist: optional(text, ""),
});

const occurrence = shape({
  event_id: text,
  announcement_id: integer,
  sha256: text,
  play_at: integer,
  expires_at: integer,
  volume: integer,
  priority,
  duck_db: optional(decimal, -15),
  late: optional(late, "skip"),
  lead_in_ms: optional(integer, 0),
  overrides_quiet_hours: optional(flag, false),
  title: optional(text, ""),
});

const silence = shape({
  start_at: integer,
  end_at: integer,
  reason: oneOf("quiet_hours", "stopped", "client_locked"),
});

const plan = shape({
  version: integer,
  device_id: text,
  etag: optional(text, ""),
  valid_from: integer,
  valid_until: integer,
  timezone: text,
  desired,
  assets: optional(listOf(asset), []),
  programme: optional(listOf(segment), []),
  occurrences: optional(listOf(occurrence), []),
  silences: optional(listOf(silence), []),
});

/** @typedef {ReturnType<typeof desired>} Desired */
/** One media file, addressed by its content. @typedef {ReturnType<typeof asset>} Asset */
/** The asset from `offset_ms` on sounds during `[start_at, end_at)`. @typedef {ReturnType<typeof segment>} Segment */
/** One announcement at `play_at`. @typedef {ReturnType<typeof occurrence>} Occurrence */
/** The floor is silent, but for what ignores `reason`. @typedef {ReturnType<typeof silence>} Silence */
/** What this speaker has to do during `[valid_from, valid_until)`. @typedef {ReturnType<typeof plan>} Plan */

/** @type {readonly Silence["reason"][]} */
const WEIGHTIEST = ["client_locked", "stopped", "quiet_hours"];

/**
 * A plan from its decoded JSON; throws `DocumentError` if it is none, or of another version.
 * @param {unknown} document
 * @returns {Plan}
 */
export function parse(document) {
  const found = plan(document, "");
  if (found.version !== VERSION) {
    throw new DocumentError(`version: ${found.version}, but this speaker reads ${VERSION}`);
  }
  return found;
}

/** Every asset by its SHA-256. @param {Plan} plan @returns {Map<string, Asset>} */
export const assetsByHash = (plan) => new Map(plan.assets.map((each) => [each.sha256, each]));

/** The programme without its announcements. @param {Plan} plan */
export const musicOf = (plan) => plan.programme.filter((each) => each.kind === "music");

/**
 * Why the floor is silent at an instant, or null. A locked client outweighs a stop, a stop quiet hours.
 * @param {Plan} plan
 * @param {number} instant
 * @returns {Silence["reason"] | null}
 */
export function silenceAt(plan, instant) {
  const reasons = plan.silences.filter((each) => each.start_at <= instant && instant < each.end_at);
  return WEIGHTIEST.find((reason) => reasons.some((each) => each.reason === reason)) ?? null;
}

/**
 * SHA-256 of every asset that is still to sound after `now`, each once, the soonest needed first.
 * @param {Plan} plan
 * @param {number} now
 * @returns {string[]}
 */
export function neededAssets(plan, now) {
  const needs = [
    ...plan.programme.filter((each) => each.end_at > now).map((each) => ({ at: each.start_at, sha256: each.sha256 })),
    ...plan.occurrences
      .filter((each) => each.expires_at > now)
      .map((each) => ({ at: each.play_at, sha256: each.sha256 })),
  ];
  return [...new Set(needs.sort((a, b) => a.at - b.at).map((each) => each.sha256))];
}

/**
 * The plan that holds at `now`: itself, or, past its end, its programme and silences moved up to `now`.
 * @param {Plan} plan
 * @param {number} now
 * @returns {Plan}
 */
export function repeated(plan, now) {
  if (now < plan.valid_until || plan.programme.length === 0) return plan;
  const span = plan.valid_until - plan.valid_from;
  const period = span >= DAY_US ? DAY_US : span;
  if (period <= 0) return plan;
  const rounds = Math.floor((now - plan.valid_until) / period) + 1;
  const move = rounds * period;
  /** @param {{start_at: number, end_at: number}} each */
  const moved = (each) => ({ start_at: each.start_at + move, end_at: each.end_at + move });
  return {
    ...plan,
    valid_from: plan.valid_from + move,
    valid_until: plan.valid_until + move,
    occurrences: [],
    programme: musicOf(plan).map((each) => ({ ...each, ...moved(each), id: `${each.id}+${rounds}` })),
    silences: plan.silences.map((each) => ({ ...each, ...moved(each) })),
  };
}
