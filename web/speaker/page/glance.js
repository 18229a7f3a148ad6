/**
 * What a glance at the speaker shows: made of the running speaker several times a second, drawn when it has changed.
 */

import { silenceAt } from "../rules/plan.js";
import { positionUs } from "../rules/programme.js";

/** @typedef {import("../rules/plan.js").Plan} Plan */
/** @typedef {import("../rules/plan.js").Silence} Silence */
/**
 * A sound: what it is called, where it is.
 * @typedef {{kind: "music" | "announcement" | "tone", title: string, artist: string, position_ms: number, duration_ms:
 * number}} Sounding
 */
/**
 * Why nothing sounds; `until` in µs UTC where that is known.
 * @typedef {{kind: "silent", reason: "quiet_hours" | "stopped" | "client_locked" | "off" | "muted" | "empty" | "loading" | "waiting",
 *   until: number | null}} Silent
 */
/**
 * All instants µs UTC. `clock.at` is the shop's time; `connection.again` is when the next try is made.
 * @typedef {{blocked: boolean, now: Sounding | Silent, next: {title: string, artist: string, at: number} | null,
 *   words: {title: string, at: number} | null, clock: {at: number, zone: string | undefined},
 *   connection: {state: "on" | "off" | "refused" | "elsewhere", again: number | null}, time: {state: string, error_us: number | null},
 *   files: {files: number, of: number}, owed: number, volume: number, muted: boolean, level: number}} Glance
 */

const REFUSALS = [4401, 4403];
const SUPERSEDED = 4409;
/** An announcement is worth naming when it is due within this. */
const WORDS_AHEAD_US = 24 * 3_600_000_000;

/**
 * @param {import("../speaker.js").Speaker} speaker
 * @returns {Glance}
 */
export function glance(speaker) {
  const { link, media, output, performer, state, time } = speaker;
  const now = time.now();
  const plan = output.music.plan;
  const session = link.session?.welcome ? link.session : null;
  const report = time.report();
  return {
    blocked: output.blocked,
    now: sounding(speaker, now) ?? silent(speaker, plan, now),
    next: plan === null ? null : nextTrack(plan, now),
    words: nextWords(performer, now),
    clock: { at: now, zone: plan?.timezone },
    connection: { state: connection(speaker, session !== null), again: session ? null : (speaker.lost?.again ?? null) },
    time: { state: report.state, error_us: report.error_us },
    files: media.here,
    owed: speaker.owed,
    volume: state.volume,
    muted: state.muted,
    level: output.level,
  };
}

/**
 * @param {import("../speaker.js").Speaker} speaker
 * @param {number} now
 * @returns {Sounding | null}
 */
function sounding({ output, performer }, now) {
  const { kind, id, position_ms } = output.nowPlaying;
  if (kind === "nothing") return null;
  if (kind === "tone") return { kind, title: "", artist: "", position_ms, duration_ms: 0 };
  if (kind === "announcement") {
    const play = performer.playOf(id);
    return { kind, title: play?.title ?? "", artist: "", position_ms, duration_ms: play?.duration_ms ?? 0 };
  }
  const segment = output.music.sounding(now).find((each) => each.id === id);
  if (segment === undefined) return null;
  const duration_ms = positionUs(segment, segment.end_at) / 1000;
  return { kind, title: segment.title, artist: segment.artist, position_ms, duration_ms };
}

/**
 * @param {import("../speaker.js").Speaker} speaker
 * @param {Plan | null} plan
 * @param {number} now
 * @returns {Silent}
 */
function silent(speaker, plan, now) {
  const { media, musicOff, state } = speaker;
  /** @type {(reason: Silent["reason"], until?: number | null) => Silent} */
  const because = (reason, until = null) => ({ kind: "silent", reason, until });
  if (state.silenced) return because("client_locked");
  if (plan === null) return because("waiting");
  const reason = silenceAt(plan, now);
  if (reason !== null) return because(reason, endOf(plan.silences, reason, now));
  if (musicOff) return because("off");
  const music = plan.programme.filter((each) => each.kind === "music" && each.end_at > now);
  if (music.length === 0) return because("empty");
  return because(media.has(music[0].sha256) ? "waiting" : "loading");
}

/**
 * When the silence for this reason ends, through those that follow without a break.
 * @param {readonly Silence[]} silences
 * @param {Silence["reason"]} reason
 * @param {number} now
 */
function endOf(silences, reason, now) {
  let until = now;
  for (const each of [...silences].sort((a, b) => a.start_at - b.start_at)) {
    if (each.reason === reason && each.start_at <= until && each.end_at > until) until = each.end_at;
  }
  return until;
}

/**
 * @param {Plan} plan
 * @param {number} now
 */
function nextTrack(plan, now) {
  const next = plan.programme.find((each) => each.kind === "music" && each.start_at > now);
  if (next === undefined || silenceAt(plan, next.start_at) !== null) return null;
  return { title: next.title, artist: next.artist, at: next.start_at };
}

/**
 * @param {import("../performer.js").Performer} performer
 * @param {number} now
 */
function nextWords(performer, now) {
  const play = performer.next.find((each) => each.play_at > now && each.play_at < now + WORDS_AHEAD_US);
  return play === undefined ? null : { title: play.title, at: play.play_at };
}

/**
 * @param {import("../speaker.js").Speaker} speaker
 * @param {boolean} on
 */
function connection({ lost }, on) {
  if (on) return "on";
  if (lost?.code === SUPERSEDED) return "elsewhere";
  return lost?.code != null && REFUSALS.includes(lost.code) ? "refused" : "off";
}
