/**
 * Which announcement sounds when on this speaker: pure rules over plays, given the time.
 *
 * The rules, in the order in which they are asked:
 *
 * 1. An event is played once or not at all; a push and the plan's own occurrence are one play (same `event_id`).
 * 2. Nothing starts at or after its `expires_at`.
 * 3. Without a trusted clock nothing starts, nor is anything judged: what passed meanwhile is told once it is trusted.
 * 4. In a silence of the plan only an emergency starts, in quiet hours also what a person ordered in spite of them;
 *    while the speaker is silenced, only an emergency.
 * 5. Two announcements never overlap: `placing` says which waits. An emergency cuts in. What waited starts from its
 *    beginning in its place, the same on every speaker of the floor, or is dropped at its expiry.
 * 6. A play starts at its instant. One that missed it is skipped (`late: "skip"`), or enters at the position where the
 *    others are (`late: "join"`). Nothing starts late from its beginning.
 *
 * A play that is about to start is armed `ARM_AHEAD_US` before: from then on it is in the output's hands.
 */

import { assetsByHash } from "./plan.js";
import { byPrecedence, place } from "./placing.js";

/** @typedef {import("./placing.js").Priority} Priority */
/** @typedef {import("./plan.js").Plan} Plan */
/** @typedef {import("./plan.js").Silence} Silence */
/**
 * @typedef {"played" | "partial" | "skipped_late" | "skipped_duplicate" | "skipped_cancelled" | "skipped_preempted"
 *   | "skipped_quiet" | "skipped_clock" | "failed_fetch" | "failed_decode" | "failed_output" | "unknown_after_crash"
 * } Outcome
 */

/**
 * One play event of this speaker, by the wire's own names. Instants µs UTC of the server's clock; `volume` 0–100, null:
 * the speaker's own at the time; `pushed`: it came over the socket, and stays when a new plan does not name it.
 * @typedef {{event_id: string, announcement_id: number, sha256: string, play_at: number, expires_at: number,
 *   duration_ms: number, volume: number | null, gain_db: number, priority: Priority, duck_db: number,
 *   late: "skip" | "join", overrides_quiet_hours: boolean, pushed: boolean, title: string}} Play
 */
/**
 * An asset that is not there to be played; its play's fate if it stays so.
 * @typedef {{outcome: Outcome, why: string}} Missing
 */
/**
 * What the rules need to know besides the plays. `missing` holds the assets that cannot be played yet, by SHA-256.
 * @typedef {{now: number, trusted: boolean, silences: readonly Silence[], silenced: boolean,
 *   missing: ReadonlyMap<string, Missing>}} Situation
 */
/**
 * Commit to the journal, then let `play` sound from `offset_ms` on at `at`.
 * @typedef {{do: "start", play: Play, at: number, offset_ms: number}} Start
 */
/** The play is over without a sample. @typedef {{do: "finish", play: Play, outcome: Outcome, error: string}} Finish */
/**
 * Fade out what is armed or sounds, so that it is silent at `end_at`.
 * @typedef {{do: "fade_out", event_id: string, end_at: number, fade_ms: number}} FadeOut
 */
/** Take back what is armed and has not started. @typedef {{do: "disarm", event_id: string}} Disarm */
/** @typedef {Start | Finish | FadeOut | Disarm} Effect */
/** @typedef {{play: Play, at: number, end_at: number, offset_us: number, cut: string, unheard: Outcome}} Armed */

export const ARM_AHEAD_US = 700_000;
/** A start nearer than this can no longer be met: the journal's commit and the output's buffer come first. */
export const LEAD_US = 200_000;
/** How far ahead places are given: longer than any announcement. */
export const HORIZON_US = 900_000_000;
const WORTH_JOINING_US = 300_000;
/** A play that was joined with no more than this missing counts as played. */
const WHOLE_BUT_US = 250_000;
const RETRY_US = 50_000;
const CANCEL_FADE_MS = 250;
const CUT_FADE_MS = 150;
/** How long an announcement of the programme may wait for another to end. */
const PROGRAMME_EXPIRY_US = 60_000_000;

/**
 * The plays of a plan: its occurrences, and the announcements that stand in its programme. The latter are part of a
 * timeline that all speakers share: a speaker that comes late joins. What names no known asset is left out.
 * @param {Plan} plan
 * @returns {Play[]}
 */
export function playsOf(plan) {
  const assets = assetsByHash(plan);
  /** @type {Play[]} */
  const found = [];
  for (const each of plan.occurrences) {
    const asset = assets.get(each.sha256);
    if (asset === undefined) continue;
    const { lead_in_ms: _, ...named } = each;
    found.push({ ...named, duration_ms: asset.duration_ms, gain_db: asset.gain_db, pushed: false });
  }
  for (const each of plan.programme) {
    const asset = assets.get(each.sha256);
    if (asset === undefined || !each.event_id || each.announcement_id === null) continue;
    found.push({
      event_id: each.event_id,
      announcement_id: each.announcement_id,
      sha256: each.sha256,
      play_at: each.start_at,
      expires_at: each.start_at + PROGRAMME_EXPIRY_US,
      duration_ms: asset.duration_ms,
      volume: null,
      gain_db: asset.gain_db,
      priority: "playlist",
      duck_db: -15,
      late: "join",
      overrides_quiet_hours: false,
      pushed: false,
      title: each.title,
    });
  }
  return found;
}

/** All plays that are due on this speaker. The caller carries out the effects that the methods return. */
export class Plays {
  /** @type {Map<string, Play>} */
  pending = new Map();
  /** @type {Map<string, Armed>} */
  #armed = new Map();
  /** @type {Set<string>} */
  #held = new Set();
  /** @type {Set<string>} */
  #unclocked = new Set();
  /** @type {Set<string>} */
  #cancelled = new Set();
  /** @type {Map<string, number>} */
  #starts = new Map();

  /**
   * Takes a pushed play. `expired`: it is over already; the next `tick` says so with its outcome.
   * @param {Play} play
   * @param {number} now
   * @param {boolean} trusted
   * @returns {"armed" | "duplicate" | "expired"}
   */
  offer(play, now, trusted) {
    if (this.#armed.has(play.event_id)) return "duplicate";
    const known = this.pending.has(play.event_id);
    this.pending.set(play.event_id, play);
    if (known) return "duplicate";
    return trusted && now >= play.expires_at ? "expired" : "armed";
  }

  /**
   * Takes the plays of a new plan in the place of the old plan's. Those that were over at `since`, before this speaker
   * could know of them, are left out. Between `since` and `now` it had no trusted clock.
   * @param {readonly Play[]} plays
   * @param {number} since
   * @param {number} now
   */
  replacePlanned(plays, since, now) {
    const pending = new Map(
      plays
        .filter((play) => !this.#armed.has(play.event_id))
        .filter((play) => play.expires_at > since || this.pending.has(play.event_id))
        .map((play) => [play.event_id, play]),
    );
    for (const play of pending.values()) if (play.expires_at <= now) this.#unclocked.add(play.event_id);
    for (const play of this.pending.values()) if (play.pushed) pending.set(play.event_id, play);
    this.pending = pending;
    this.#held = new Set([...this.#held].filter((key) => pending.has(key)));
  }

  /**
   * Cancels an event, known or not yet: before its start it is dropped, while it sounds it fades out.
   * @param {string} eventId
   * @param {number} now
   * @returns {Effect[]}
   */
  cancel(eventId, now) {
    this.#cancelled.add(eventId);
    const play = this.pending.get(eventId);
    if (play !== undefined) {
      this.pending.delete(eventId);
      return [{ do: "finish", play, outcome: "skipped_cancelled", error: "" }];
    }
    const armed = this.#armed.get(eventId);
    if (armed === undefined || armed.cut) return [];
    const endAt = now + LEAD_US + CANCEL_FADE_MS * 1000;
    return this.#takeBack(armed, now, "skipped_cancelled", "cancelled", endAt, CANCEL_FADE_MS);
  }

  /**
   * The output is done with it: its outcome, and why it is not whole.
   * @param {string} eventId armed before
   * @param {number} playedMs
   * @returns {{outcome: Outcome, error: string}}
   */
  ended(eventId, playedMs) {
    const armed = this.#armed.get(eventId);
    if (armed === undefined) throw new Error(`${eventId} was not armed`);
    this.#armed.delete(eventId);
    if (armed.cut) return { outcome: playedMs ? "partial" : armed.unheard, error: armed.cut };
    if (armed.offset_us) {
      const error = `joined at ${Math.floor(armed.offset_us / 1000)} ms`;
      return { outcome: armed.offset_us > WHOLE_BUT_US ? "partial" : "played", error };
    }
    return { outcome: "played", error: "" };
  }

  /** Whether a play that is still to start needs this audio. @param {string} sha256 */
  awaits(sha256) {
    return [...this.pending.values()].some((play) => play.sha256 === sha256);
  }

  /** What was armed will not sound: the place is free again. @param {string} eventId */
  abandon(eventId) {
    this.#armed.delete(eventId);
  }

  /**
   * What has to happen now; nothing while the clock is not trusted.
   * @param {Situation} situation
   * @returns {Effect[]}
   */
  tick(situation) {
    if (!situation.trusted) {
      for (const key of this.pending.keys()) this.#unclocked.add(key);
      return [];
    }
    /** @type {Effect[]} */
    const effects = [];
    for (let step = this.#step(situation); step.length; step = this.#step(situation)) effects.push(...step);
    this.#unclocked.clear();
    return effects;
  }

  /**
   * The next instant at which `tick` could have something to do; null if only an event can bring it. Good for
   * `HORIZON_US` after a tick.
   * @param {number} now
   * @returns {number | null}
   */
  wakeAt(now) {
    let soonest = Infinity;
    for (const play of this.pending.values()) {
      const start = this.#starts.get(play.event_id) ?? play.play_at;
      const arm = start - ARM_AHEAD_US;
      const waiting = start >= play.expires_at ? play.expires_at : Math.max(now, start - LEAD_US) + RETRY_US;
      soonest = Math.min(soonest, play.expires_at, arm > now ? arm : waiting);
    }
    return soonest === Infinity ? null : soonest;
  }

  /**
   * The first thing that has to happen; places are given anew after each.
   * @param {Situation} situation
   * @returns {Effect[]}
   */
  #step(situation) {
    const due = [...this.pending.values()]
      .filter((play) => play.play_at - HORIZON_US <= situation.now)
      .sort((a, b) => byPrecedence({ ...a, due_at: a.play_at }, { ...b, due_at: b.play_at }));
    for (const play of due) {
      const ending = this.#ending(play, situation);
      if (ending !== null) return [this.#drop(play, ending)];
    }
    this.#starts = this.#placed(due, situation);
    for (const play of due) {
      const effects = this.#start(play, this.#starts.get(play.event_id) ?? play.play_at, situation);
      if (effects.length) return effects;
    }
    return [];
  }

  /**
   * The outcome of a play that will not sound, whatever else happens.
   * @param {Play} play
   * @param {Situation} situation
   * @returns {{outcome: Outcome, error: string} | null}
   */
  #ending(play, situation) {
    if (this.#cancelled.has(play.event_id)) return { outcome: "skipped_cancelled", error: "" };
    if (situation.now >= play.expires_at) return this.#whyNot(play, situation);
    if (play.play_at - ARM_AHEAD_US <= situation.now) {
      const error = silencedBy(play, Math.max(play.play_at, situation.now), situation);
      if (error !== null) return { outcome: "skipped_quiet", error };
    }
    return null;
  }

  /**
   * When each can start at the earliest. What cannot be played, for want of its audio, holds up nobody.
   * @param {readonly Play[]} due
   * @param {Situation} situation
   */
  #placed(due, situation) {
    const starts = new Map(due.map((play) => [play.event_id, this.#earliest(play, situation.now)]));
    const claims = due
      .filter((play) => !situation.missing.has(play.sha256))
      .map((play) => ({
        event_id: play.event_id,
        priority: play.priority,
        due_at: play.play_at,
        earliest: starts.get(play.event_id) ?? play.play_at,
        duration: play.duration_ms * 1000,
        expires_at: play.expires_at,
      }));
    const taken = [...this.#armed.values()].map((each) => {
      return { start: each.at, end: each.end_at, emergency: each.play.priority === "emergency" };
    });
    for (const [key, found] of place(claims, taken)) {
      if (found.held) this.#held.add(key);
      starts.set(key, found.start);
    }
    return starts;
  }

  /**
   * What gave way to another and is still free to start does so from its beginning, soon.
   * @param {Play} play
   * @param {number} now
   */
  #earliest(play, now) {
    return this.#held.has(play.event_id) ? Math.max(play.play_at, now + LEAD_US) : play.play_at;
  }

  /**
   * @param {Play} play
   * @param {number} place
   * @param {Situation} situation
   * @returns {Effect[]}
   */
  #start(play, place, situation) {
    const now = situation.now;
    const durationUs = play.duration_ms * 1000;
    if (place >= play.expires_at || place - ARM_AHEAD_US > now) return [];
    const offsetUs = Math.max(0, now + LEAD_US - place);
    const start = place + offsetUs;
    if (offsetUs > 0) {
      const worth = play.late === "join" && offsetUs <= durationUs - WORTH_JOINING_US;
      if (!worth) return [this.#drop(play, this.#whyNot(play, situation))];
      if (start >= play.expires_at) return [];
    }
    if (situation.missing.has(play.sha256)) return [];
    /** @type {Effect[]} */
    const effects = [];
    if (play.priority === "emergency") {
      for (const other of [...this.#armed.values()]) {
        if (other.play.priority === "emergency" || other.end_at <= start) continue;
        effects.push(...this.#takeBack(other, now, "skipped_preempted", "an emergency cut in", start, CUT_FADE_MS));
      }
    }
    this.pending.delete(play.event_id);
    this.#held.delete(play.event_id);
    const armed = { play, at: start, end_at: start + durationUs - offsetUs, offset_us: offsetUs };
    this.#armed.set(play.event_id, { ...armed, cut: "", unheard: "failed_output" });
    return [...effects, { do: "start", play, at: start, offset_ms: Math.floor(offsetUs / 1000) }];
  }

  /**
   * @param {Play} play
   * @param {Situation} situation
   * @returns {{outcome: Outcome, error: string}}
   */
  #whyNot(play, situation) {
    if (this.#unclocked.has(play.event_id)) {
      return { outcome: "skipped_clock", error: "the clock was not synchronised" };
    }
    const missing = situation.missing.get(play.sha256);
    if (missing !== undefined) return { outcome: missing.outcome, error: missing.why };
    if (this.#held.has(play.event_id)) {
      return { outcome: "skipped_preempted", error: "another announcement was sounding" };
    }
    return { outcome: "skipped_late", error: "its instant had passed" };
  }

  /**
   * @param {Play} play
   * @param {{outcome: Outcome, error: string}} ending
   * @returns {Finish}
   */
  #drop(play, ending) {
    this.pending.delete(play.event_id);
    this.#held.delete(play.event_id);
    return { do: "finish", play, ...ending };
  }

  /**
   * Ends what is armed: taken back if it is far enough from its start, else faded out.
   * @param {Armed} armed
   * @param {number} now
   * @param {Outcome} unheard
   * @param {string} why
   * @param {number} endAt
   * @param {number} fadeMs
   * @returns {Effect[]}
   */
  #takeBack(armed, now, unheard, why, endAt, fadeMs) {
    const eventId = armed.play.event_id;
    if (armed.at - LEAD_US > now) {
      this.abandon(eventId);
      return [
        { do: "disarm", event_id: eventId },
        { do: "finish", play: armed.play, outcome: unheard, error: why },
      ];
    }
    armed.cut = why;
    armed.unheard = unheard;
    armed.end_at = Math.min(armed.end_at, endAt);
    return [{ do: "fade_out", event_id: eventId, end_at: armed.end_at, fade_ms: fadeMs }];
  }
}

/**
 * Why this play may not start at an instant, or null.
 * @param {Play} play
 * @param {number} instant
 * @param {Situation} situation
 * @returns {string | null}
 */
export function silencedBy(play, instant, situation) {
  if (play.priority === "emergency") return null;
  if (situation.silenced) return "client_locked";
  const silence = situation.silences.find((each) => {
    const overridden = each.reason === "quiet_hours" && play.overrides_quiet_hours;
    return each.start_at <= instant && instant < each.end_at && !overridden;
  });
  return silence?.reason ?? null;
}
