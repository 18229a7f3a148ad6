/**
 * What a floor sounds, what comes next and what has been, out of its timeline (what is planned and on the record) and of what its
 * speakers say. Pure: instants are milliseconds by the server's clock.
 */

import { presence } from "../../common/live.js";

/** @typedef {import("../../common/live.js").DeviceState} DeviceState */
/** @typedef {import("../../common/live.js").Presence} Presence */
/** @typedef {import("../../.types/api.js").components["schemas"]["Timeline"]} Timeline */
/** @typedef {import("../../.types/api.js").components["schemas"]["TimelineSegment"]} Segment */
/** @typedef {import("../../.types/api.js").components["schemas"]["TimelineItem"]} Item */
/** @typedef {import("../../.types/api.js").components["schemas"]["PlayEvent"]} PlayEvent */

/**
 * What a floor sounds. `until` is null for a silence that ends only when somebody lifts it; `share` is how far the sound has come.
 * @typedef {{ kind: "no_speakers" | "offline" | "idle" }
 *   | { kind: "silent", reason: string, until: number | null }
 *   | { kind: "music" | "announcement", title: string, artist: string, share: number | undefined }} Sounding
 */

/** How many speakers are how. @param {Iterable<DeviceState>} states @param {number} at @returns {Record<Presence, number>} */
export function tally(states, at) {
  const count = { online: 0, late: 0, offline: 0 };
  for (const state of states) count[presence(state, at)] += 1;
  return count;
}

/** @param {{ starts_at: string | null, ends_at: string | null }} span @param {number} at */
const holds = (span, at) => span.starts_at !== null && span.ends_at !== null && Date.parse(span.starts_at) <= at && at < Date.parse(span.ends_at);

/** @param {{ starts_at: string | null, ends_at: string | null }} span @param {number} at */
function shareOf(span, at) {
  const [start, end] = [Date.parse(span.starts_at ?? ""), Date.parse(span.ends_at ?? "")];
  return end > start ? Math.min(1, Math.max(0, (at - start) / (end - start))) : undefined;
}

/** The silence of a floor at an instant, the one that a person ordered before others. @param {Timeline} timeline @param {number} at */
export function silenceAt(timeline, at) {
  const now = timeline.silences.filter((silence) => holds(silence, at));
  const silence = now.find((each) => each.reason === "stopped") ?? now[0];
  if (!silence) return null;
  // A span that reaches the end of what was asked for has no end of its own that is known.
  return { reason: silence.reason, until: silence.ends_at === timeline.to ? null : Date.parse(silence.ends_at) };
}

/**
 * What a floor sounds now: what its speakers say, in the timeline's words. Only where none says anything else is it the plan.
 * @param {Timeline} timeline
 * @param {DeviceState[]} states of the floor's speakers
 * @param {number} at
 * @returns {Sounding}
 */
export function sounding(timeline, states, at) {
  if (!states.length) return { kind: "no_speakers" };
  const heard = states.filter((state) => presence(state, at) !== "offline").map((state) => state.reported?.now_playing);
  if (heard.some((playing) => playing?.kind === "announcement")) {
    const item = timeline.announcements.find((each) => each.outcome === "sounding") ?? timeline.announcements.find((each) => holds(each, at));
    const spoken = item ?? timeline.segments.find((segment) => segment.kind === "announcement" && holds(segment, at));
    return { kind: "announcement", title: spoken?.title ?? "", artist: "", share: spoken && shareOf(spoken, at) };
  }
  const silence = silenceAt(timeline, at);
  if (silence) return { kind: "silent", ...silence };
  if (!heard.length) return { kind: "offline" };
  const playing = heard.find((each) => each?.kind === "music");
  if (!playing) return { kind: "idle" };
  const segment = timeline.segments.find((each) => each.id === playing.id) ?? timeline.segments.find((each) => holds(each, at));
  return { kind: segment?.kind ?? "music", title: segment?.title ?? "", artist: segment?.artist ?? "", share: segment && shareOf(segment, at) };
}

/**
 * @typedef {object} Coming an announcement that is due, on one floor or on several at once
 * @property {string} key
 * @property {number} at
 * @property {string} title
 * @property {string | null} schedule name of the schedule; null: from a playlist, or ordered by a person
 * @property {number[]} floors
 */

/**
 * The announcements to come, the next first, the same one on several floors once.
 * @param {Timeline[]} timelines
 * @param {number} at
 * @returns {Coming[]}
 */
export function coming(timelines, at) {
  /** @type {Map<string, Coming>} */
  const found = new Map();
  for (const timeline of timelines) {
    for (const item of timeline.announcements) {
      const when = Date.parse(item.starts_at ?? item.at);
      if (item.outcome !== "plays" || when <= at) continue;
      const key = `${when} ${item.title}`;
      const known = found.get(key);
      if (!known) found.set(key, { key, at: when, title: item.title, schedule: item.schedule_name, floors: [timeline.floor] });
      else if (!known.floors.includes(timeline.floor)) known.floors.push(timeline.floor);
    }
  }
  return [...found.values()].sort((one, other) => one.at - other.at);
}

/**
 * @typedef {object} Play what was ordered or fired once, on all its speakers
 * @property {string} id
 * @property {number} at
 * @property {string} title
 * @property {string[]} floors
 * @property {number} speakers
 * @property {number} done on how many it was heard
 * @property {number} failed on how many it was not
 * @property {string} reason why it was not, on the first where it was not: stable
 * @property {string} why the same as the server's sentence
 * @property {string} priority
 * @property {string | null} by who ordered it
 */

/**
 * Plays out of their events, in the events' order. What a rule has planned is on record before it is due: that is yet to come.
 * @param {PlayEvent[]} events
 * @param {number} at
 * @returns {Play[]}
 */
export function playsOf(events, at) {
  /** @type {Map<string, Play>} */
  const found = new Map();
  for (const event of events) {
    if (!event.created_by_name && Date.parse(event.play_at) > at) continue;
    let play = found.get(event.play_id);
    if (!play) {
      play = {
        id: event.play_id, at: Date.parse(event.started_at ?? event.play_at), title: event.announcement_title ?? "", floors: [], speakers: 0, done: 0,
        failed: 0, reason: "", why: "", priority: event.priority ?? "", by: event.created_by_name,
      };
      found.set(event.play_id, play);
    }
    play.speakers += 1;
    if (event.floor_name && !play.floors.includes(event.floor_name)) play.floors.push(event.floor_name);
    if (event.status === "completed") play.done += 1;
    if (event.status === "failed") {
      play.failed += 1;
      play.reason ||= event.reason ?? "";
      play.why ||= event.error_message ?? "";
    }
  }
  return [...found.values()];
}
