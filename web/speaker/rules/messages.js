/**
 * The socket's messages as this speaker sends and understands them (protocol v1), by the wire's own field names.
 *
 * Instants are integer µs UTC, durations ms unless the name says µs, volume 0–100, gains dB.
 */

import { DocumentError, decimal, flag, integer, listOf, nullable, oneOf, optional, shape, text } from "./documents.js";
import { desired, late, priority } from "./plan.js";

export const SUBPROTOCOL = "sync2gear.v1";

/** What a speaker may send: bytes a message, messages a second, the burst above that. */
export const LIMITS = { message_bytes: 65_536, messages_per_second: 10, burst: 40 };

/** What is told as playing where nothing sounds. */
export const NOTHING = /** @type {const} */ ({ kind: "nothing", id: "", position_ms: 0 });

/** The messages that a speaker is sent, by their `type`. */
const INCOMING = {
  welcome: shape({
    session: text,
    desired,
    heartbeat_s: optional(integer, 15),
    limits: optional(
      shape({
        message_bytes: optional(integer, LIMITS.message_bytes),
        messages_per_second: optional(integer, LIMITS.messages_per_second),
        burst: optional(integer, LIMITS.burst),
      }),
      LIMITS,
    ),
    plan_etag: optional(text, ""),
    plan_url: optional(text, ""),
  }),
  time_reply: shape({ n: integer, t1: integer, t2: integer, t3: integer }),
  play_announcement: shape({
    announcement_id: integer,
    audio_url: text,
    volume: integer,
    event_id: text,
    play_at: integer,
    expires_at: integer,
    sha256: text,
    bytes: integer,
    mime: text,
    duration_ms: integer,
    gain_db: optional(decimal, 0),
    priority: optional(priority, "instant"),
    duck_db: optional(decimal, -15),
    late: optional(late, "skip"),
    lead_in_ms: optional(integer, 0),
    overrides_quiet_hours: optional(flag, false),
    title: optional(text, ""),
  }),
  cancel_announcement: shape({ event_id: text }),
  plan_changed: shape({ etag: optional(text, "") }),
  set_desired: desired,
  control: shape({
    command_id: text,
    action: oneOf("play", "pause", "stop", "next", "identify", "restart", "refetch"),
    expires_at: integer,
  }),
  test_tone: shape({ command_id: text, hz: integer, ms: integer }),
  receipt_ack: shape({ event_ids: optional(listOf(text), []), report_ids: optional(listOf(text), []) }),
  reconnect: shape({ after_ms: integer }),
  error: shape({ code: text, detail: optional(text, ""), re: nullable(text) }),
};

/** @typedef {keyof typeof INCOMING} IncomingType */
/**
 * @template {IncomingType} T
 * @typedef {ReturnType<(typeof INCOMING)[T]>} Body
 */
/**
 * One message from the server; `junk` is a frame that is none, and why (`event_id` if it could be told from it).
 * @typedef {{[T in IncomingType]: {type: T, body: Body<T>}}[IncomingType]
 *   | {type: "junk", body: {why: string, event_id: string}}} Incoming
 */

/**
 * One message to the server: `type` and its fields, without the envelope.
 * @typedef {{type: string} & Record<string, unknown>} Outgoing
 */

/**
 * What became of one play event.
 * @typedef {{type: "playback_complete", event_id: string, [field: string]: unknown}} Receipt
 */
/**
 * One track that sounded without a break, and is over.
 * @typedef {{report_id: string, segment_id: string, music_id: number, started_at: number, ended_at: number,
 *   played_ms: number}} MusicStretch
 */

/**
 * One message to its frame, in an envelope with a fresh id; fields that are null are left out.
 * @param {Outgoing} message
 * @param {number} ts µs UTC
 * @param {string} id
 */
export function encode(message, ts, id) {
  const { type, ...fields } = message;
  return JSON.stringify({ type, id, ts, ...fields }, (_, value) => (value === null ? undefined : value));
}

/**
 * One frame to its message; what cannot be understood comes back as `junk`, never as an exception.
 * @param {unknown} frame
 * @returns {Incoming}
 */
export function decode(frame) {
  /** @param {string} why @param {string} [event_id] @returns {Incoming} */
  const junk = (why, event_id = "") => ({ type: "junk", body: { why, event_id } });
  if (typeof frame !== "string") return junk("not a text");
  /** @type {any} */
  let document;
  try {
    document = JSON.parse(frame);
  } catch (error) {
    return junk(`not JSON: ${error}`);
  }
  if (typeof document !== "object" || document === null) return junk("not an object");
  const type = document.type;
  if (typeof type !== "string" || !Object.hasOwn(INCOMING, type)) return junk(`unknown type ${JSON.stringify(type)}`);
  try {
    const body = INCOMING[/** @type {IncomingType} */ (type)](document, "");
    return /** @type {Incoming} */ ({ type, body });
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    const id = document.event_id;
    return junk(`${type}: ${error.message}`, typeof id === "string" && id.length === 36 ? id : "");
  }
}
