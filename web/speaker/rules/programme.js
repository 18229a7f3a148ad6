/**
 * The floor's music: which segments of the plan sound now, from where, and how loud.
 *
 * Each segment is at the position that the server's time asks for: a speaker that starts late joins mid-track, and
 * after an interruption the music is where the timeline is. Segments that overlap are crossfaded by their fades (linear
 * in power); those that meet are gapless. The audio engine turns this into sources and gain curves.
 */

import { musicOf, silenceAt } from "./plan.js";

/** @typedef {import("./plan.js").Plan} Plan */
/** @typedef {import("./plan.js").Segment} Segment */

/** The next segment is opened this long before it is due: a browser decodes a track as a whole. */
export const OPEN_AHEAD_US = 30_000_000;
/** A segment entered later than this after its start is faded in. */
const LATE_ENTRY_US = 1_000;
export const ENTRY_FADE_US = 50_000;
export const CUT_FADE_US = 10_000;
const WHOLE_WITHIN_MS = 50;
/** At most so many segments sound at once. */
const OVERLAPPING = 4;
/** Music comes and goes over a second at a silence or a stop. */
export const GATE_US = 1_000_000;
/** Beyond this a source is started anew at the right place rather than steered there. */
const JUMP_FROM_US = 50_000;
/** How far the rate of a source may be bent: 0.2 %, three hundredths of a semitone. */
const MOST_BENT = 0.002;
/** An error is steered away over about this long. */
const STEER_OVER_US = 5_000_000;

/**
 * The segments that sound at `now` or are due soon, soonest first, at most four.
 * @param {Plan} plan
 * @param {number} now µs UTC
 * @returns {Segment[]}
 */
export function dueSegments(plan, now) {
  return musicOf(plan)
    .filter((each) => each.end_at > now && each.start_at <= now + OPEN_AHEAD_US)
    .sort((a, b) => a.start_at - b.start_at)
    .slice(0, OVERLAPPING);
}

/**
 * Where the timeline is in a segment's asset at an instant, in µs of the asset.
 * @param {Segment} segment
 * @param {number} instant
 */
export const positionUs = (segment, instant) => segment.offset_ms * 1000 + (instant - segment.start_at);

/**
 * Whether a segment ends before its asset does, so that its end needs a short fade against a click.
 * @param {Segment} segment
 * @param {number} durationMs of the asset
 */
export function cutShort(segment, durationMs) {
  return segment.offset_ms + (segment.end_at - segment.start_at) / 1000 < durationMs - WHOLE_WITHIN_MS;
}

/**
 * The gain of a segment at an instant, 0 to 1: its own fades linear in power, entry and cut linear in amplitude.
 * @param {Segment} segment
 * @param {number} instant µs UTC
 * @param {{enteredAt: number | null, cutShort: boolean}} how `enteredAt`: when it was joined, null from its start
 */
export function fadeAt(segment, instant, how) {
  if (instant < segment.start_at || instant >= segment.end_at) return 0;
  let gain = 1;
  if (segment.fade_in_ms) gain *= Math.sqrt(part(instant - segment.start_at, segment.fade_in_ms * 1000));
  if (segment.fade_out_ms) gain *= Math.sqrt(part(segment.end_at - instant, segment.fade_out_ms * 1000));
  else if (how.cutShort) gain *= part(segment.end_at - instant, CUT_FADE_US);
  if (how.enteredAt !== null && how.enteredAt - segment.start_at > LATE_ENTRY_US) {
    gain *= part(instant - how.enteredAt, ENTRY_FADE_US);
  }
  return gain;
}

/** @param {number} value @param {number} whole */
const part = (value, whole) => Math.min(1, Math.max(0, value / whole));

/**
 * Whether the gate of the music is shut: by a person, a lock, or a silence that holds or begins within a second.
 * @param {Plan} plan
 * @param {number} now
 * @param {{musicOff: boolean, silenced: boolean}} levels
 */
export function gateShut(plan, now, levels) {
  return levels.musicOff || levels.silenced || silenceAt(plan, now) !== null || silenceAt(plan, now + GATE_US) !== null;
}

/**
 * What to do with a source that is `aheadUs` ahead of the timeline (negative: behind): a playback rate near 1, or null
 * where it must be started anew at the right place.
 * @param {number} aheadUs
 * @returns {number | null}
 */
export function steering(aheadUs) {
  if (Math.abs(aheadUs) >= JUMP_FROM_US) return null;
  return 1 - Math.min(MOST_BENT, Math.max(-MOST_BENT, aheadUs / STEER_OVER_US));
}
