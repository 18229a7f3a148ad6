/**
 * Carries out what `rules/plays` decides: journal first, then the output; and makes receipts of what the output tells.
 */

import { Plays } from "./rules/plays.js";

/** @typedef {import("./rules/messages.js").Receipt} Receipt */
/** @typedef {import("./rules/plan.js").Silence} Silence */
/** @typedef {import("./rules/plays.js").Effect} Effect */
/** @typedef {import("./rules/plays.js").Outcome} Outcome */
/** @typedef {import("./rules/plays.js").Play} Play */
/** @typedef {import("./rules/plays.js").Start} Start */
/** @typedef {import("./sound/announcer.js").Clip} Clip */
/** @typedef {{at: number, muted: boolean}} Heard */

/** Announcements are decoded this long before they are due. */
const DECODE_AHEAD_US = 60_000_000;
const LOOK_AGAIN_US = 5_000_000;

export class Performer {
  #speaker;
  #plays = new Plays();
  /** @type {readonly Play[] | null} */
  #planned = null;
  #sinceUs;
  /** @type {readonly Silence[]} */
  #silences = [];
  /** @type {Map<string, Start>} */
  #starting = new Map();
  /** @type {Map<string, Heard>} */
  #sounding = new Map();
  /** Plays whose `armed` waits for their audio. @type {Map<string, Play>} */
  #awaited = new Map();
  #poked = true;
  #lookAt = 0;
  /** Decisions, cancellations and receipts one after the other. @type {Promise<void>} */
  #lane = Promise.resolve();
  #deciding = false;
  #outputReady = false;

  /** @param {import("./speaker.js").Speaker} speaker */
  constructor(speaker) {
    this.#speaker = speaker;
    this.#sinceUs = speaker.monotonicUs();
  }

  /** Something changed: decide again at the next look. */
  poke() {
    this.#poked = true;
  }

  /** Something changed that a play may wait for, whose instant is near: decide again at once. */
  hurry() {
    this.poke();
    this.look();
  }

  /**
   * Takes a play that was pushed.
   * @param {Play} play
   */
  takePushed(play) {
    const { time } = this.#speaker;
    return this.#plays.offer(play, time.now(), time.trusted);
  }

  /**
   * Takes the plays of a new plan.
   * @param {readonly Play[]} plays
   * @param {readonly Silence[]} silences
   */
  takePlanned(plays, silences) {
    this.#silences = silences;
    this.#planned = plays;
    this.#handOver();
  }

  /**
   * Sends the ack `armed` once the audio is here, or `cannot`.
   * @param {Play} play
   */
  acknowledgeWhenReady(play) {
    this.#awaited.set(play.event_id, play);
  }

  /**
   * Cancels an event, in whatever state it is.
   * @param {string} eventId
   */
  cancel(eventId) {
    this.#inLane(() => this.#carryOut(this.#plays.cancel(eventId, this.#speaker.time.now())));
  }

  /** Decides if it is time to; to be called several times a second. */
  look() {
    const { ready } = this.#speaker.output;
    if (ready !== this.#outputReady) this.poke();
    this.#outputReady = ready;
    if (this.#deciding || !(this.#poked || this.#speaker.monotonicUs() >= this.#lookAt)) return;
    this.#poked = false;
    this.#deciding = true;
    this.#inLane(async () => {
      try {
        await this.#decide();
      } finally {
        this.#deciding = false;
      }
      const now = this.#speaker.time.now();
      const wake = this.#plays.wakeAt(now) ?? Infinity;
      this.#lookAt = this.#speaker.monotonicUs() + Math.min(LOOK_AGAIN_US, wake - now);
    });
  }

  /** What is due next on this speaker, soonest first. @returns {Play[]} */
  get next() {
    return [...this.#plays.pending.values()].sort((a, b) => a.play_at - b.play_at);
  }

  /** The play that is armed or sounds under this id. @param {string} eventId */
  playOf(eventId) {
    return this.#starting.get(eventId)?.play ?? null;
  }

  /**
   * Takes what the output tells of announcements.
   * @param {import("./output.js").Note} note
   */
  hear(note) {
    if (note.told === "failed") {
      for (const clip of note.lost) if (clip.kind === "announcement") this.#lose(clip.key, note.why);
    } else if (note.clip.kind === "announcement" && note.told === "started") {
      this.#sounding.set(note.clip.key, note);
      this.#speaker.link.say({ type: "playback_started", event_id: note.clip.key, started_at: note.at });
    } else if (note.clip.kind === "announcement" && note.told === "ended") {
      this.#receiptOf(note.clip.key, note.at, note.played_ms);
    }
    this.poke();
  }

  /** All decisions so far are carried out. */
  get settled() {
    return this.#lane;
  }

  /** @param {() => Promise<void>} work */
  #inLane(work) {
    this.#lane = this.#lane.then(work).catch((error) => this.#speaker.broken(error));
  }

  /** Gives the plan's plays to the rules as soon as the clock can tell which of them are over. */
  #handOver() {
    const { time } = this.#speaker;
    if (this.#planned === null || !time.trusted) return;
    const now = time.now();
    const since = Math.min(now, Math.round(time.instantAt(this.#sinceUs)));
    this.#sinceUs = this.#speaker.monotonicUs();
    this.#plays.replacePlanned(this.#planned, since, now);
    this.#planned = null;
  }

  async #decide() {
    const { media, output, time, state } = this.#speaker;
    this.#handOver();
    const now = time.now();
    const near = [...this.#plays.pending.values()].filter((play) => play.play_at - DECODE_AHEAD_US <= now);
    const soon = new Set(near.map((play) => play.sha256));
    media.prepare(soon);
    for (const [eventId, play] of this.#awaited) {
      if (!media.has(play.sha256)) continue;
      this.#awaited.delete(eventId);
      this.#acknowledge(eventId, "armed");
    }
    const missing = output.ready ? media.missing(soon) : new Map([...soon].map((each) => [each, silence(output)]));
    const { trusted } = time;
    const situation = { now, trusted, silences: this.#silences, silenced: state.silenced, missing };
    await this.#carryOut(this.#plays.tick(situation));
  }

  /** @param {readonly Effect[]} effects */
  async #carryOut(effects) {
    const { media, output } = this.#speaker;
    for (const effect of effects) {
      if (effect.do === "start") {
        await this.#start(effect);
      } else if (effect.do === "finish") {
        if (!this.#plays.awaits(effect.play.sha256)) media.release(effect.play.sha256);
        await this.#keep(unheard(effect.play, effect.outcome, effect.error));
      } else if (effect.do === "fade_out") {
        output.fadeOut(effect.event_id, effect.end_at, effect.fade_ms);
      } else {
        this.#starting.delete(effect.event_id);
        output.disarm(effect.event_id);
      }
    }
  }

  /** @param {Start} start */
  async #start(start) {
    const { play } = start;
    const { journal, media, output, state, time } = this.#speaker;
    if (!output.ready) {
      const { outcome, why } = silence(output);
      this.#plays.abandon(play.event_id);
      await this.#keep(unheard(play, outcome, why));
      return;
    }
    const buffer = media.clip(play.sha256);
    const cutOff = "the page was closed while this was about to sound or sounding";
    if (!(await journal.begin(unheard(play, "unknown_after_crash", cutOff), time.now()))) {
      console.warn(`${play.event_id} is in the journal already: it is not played again`);
      this.#plays.abandon(play.event_id);
      return;
    }
    this.#starting.set(play.event_id, start);
    output.start({
      key: play.event_id,
      kind: "announcement",
      buffer,
      start_at: start.at,
      offset_ms: start.offset_ms,
      volume: play.volume ?? state.volume,
      gain_db: play.gain_db,
      duck_db: play.duck_db,
      emergency: play.priority === "emergency",
    });
  }

  /**
   * @param {string} key
   * @param {number} endedAt
   * @param {number} playedMs
   */
  #receiptOf(key, endedAt, playedMs) {
    const heard = this.#sounding.get(key);
    const start = this.#starting.get(key);
    this.#sounding.delete(key);
    this.#starting.delete(key);
    if (start === undefined) return;
    const { outcome, error } = this.#plays.ended(key, playedMs);
    if (heard === undefined) {
      const late = outcome === "played";
      const why = late ? "it came too late to the output" : error;
      this.#inLane(() => this.#keep(unheard(start.play, late ? "skipped_late" : outcome, why)));
      return;
    }
    const receipt = {
      ...unheard(start.play, outcome, error || (heard.muted ? "the speaker was muted" : "")),
      started_at: heard.at,
      ended_at: endedAt,
      start_error_us: heard.at - (start.play.play_at + start.offset_ms * 1000),
      played_ms: playedMs,
    };
    this.#inLane(() => this.#keep(receipt));
  }

  /**
   * @param {string} key
   * @param {string} why
   */
  #lose(key, why) {
    const start = this.#starting.get(key);
    this.#plays.abandon(key);
    this.#sounding.delete(key);
    this.#starting.delete(key);
    if (start !== undefined) this.#inLane(() => this.#keep(unheard(start.play, "failed_output", why)));
  }

  /** @param {Receipt} receipt */
  async #keep(receipt) {
    if (this.#awaited.delete(receipt.event_id)) this.#acknowledge(receipt.event_id, "cannot", String(receipt.outcome));
    await this.#speaker.journal.finish(receipt, this.#speaker.time.now());
    this.#speaker.link.owe(receipt);
  }

  /**
   * @param {string} event_id
   * @param {string} state
   * @param {string} [reason]
   */
  #acknowledge(event_id, state, reason = "") {
    this.#speaker.link.say({ type: "ack", event_id, state, reason }, { urgent: true });
  }
}

/**
 * Why an output that is not ready lets nothing be heard. It may be by the time that a play is due: a page that was just
 * opened takes half a second to know its output's clock, and a person may touch it.
 * @param {import("./output.js").Output} output
 * @returns {import("./rules/plays.js").Missing}
 */
function silence({ blocked }) {
  const why = blocked ? "the browser does not let the page sound" : "the sound was only just starting";
  return { outcome: "failed_output", why };
}

/**
 * The receipt of a play of which nothing was heard.
 * @param {Play} play
 * @param {Outcome} outcome
 * @param {string} error
 * @returns {Receipt}
 */
function unheard(play, outcome, error) {
  const { event_id, announcement_id, play_at, priority } = play;
  return { type: "playback_complete", event_id, announcement_id, outcome, played_ms: 0, error, play_at, priority };
}
