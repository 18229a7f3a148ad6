/**
 * Lets the floor's music sound: each segment of the plan from its own source, on the server's timeline.
 *
 * The graph: each source → its fades → its release → gate → volume → out. The next segment is decoded well before it is
 * due and scheduled shortly before; one that is entered late enters at the position that is due. Fades are drawn a few
 * seconds ahead, look by look. The gate comes and goes over a second, linear in power; the timeline runs on behind it.
 */

import { gainOfDb, gainOfVolume } from "../rules/levels.js";
import { assetsByHash, repeated } from "../rules/plan.js";
import { GATE_US, cutShort, dueSegments, fadeAt, gateShut, positionUs } from "../rules/programme.js";
import { Head } from "./head.js";
import { StreamHead } from "./streamhead.js";

/** @typedef {import("../rules/plan.js").Plan} Plan */
/** @typedef {import("../rules/plan.js").Segment} Segment */
/**
 * Opens an asset, decoded or, if it is long, as the file that it is; null if it is not here (yet).
 * @typedef {(sha256: string, durationMs: number) => Promise<AudioBuffer | Blob | null>} Opener
 */
/**
 * `music_off`: stopped or paused on this speaker alone.
 * @typedef {{volume: number, muted: boolean, musicOff: boolean, silenced: boolean}} Levels
 */
/**
 * One segment: opening while `buffer` is null, waiting while `head` is. The fades are drawn until `drawn_us`, where they
 * have arrived at `drawn`.
 * @typedef {{segment: Segment, gain: number, cutShort: boolean, buffer: AudioBuffer | Blob | null, head: Head | StreamHead | null,
 *   fades: GainNode, release: GainNode, entered_at: number | null, drawn_us: number, drawn: number,
 *   released_at: number | null}} Voice
 */

/** Scheduling a source and drawing its fades is done this long before. */
const AHEAD_US = 2_000_000;
/** What is entered late is entered this much after now. */
const CATCH_UP_US = 300_000;
const RETRY_US = 1_000_000;
const RELEASE_US = 500_000;
/** The longest that sound may be under way to the output. */
const LATENCY_US = 1_000_000;
const STEP_US = 10_000;
const VOLUME_S = 0.05;

export class Music {
  #context;
  #times;
  #open;
  #gate;
  #volume;
  /** @type {Plan | null} */
  #base = null;
  /** @type {Plan | null} */
  #plan = null;
  /** @type {Map<string, Voice>} */
  #voices = new Map();
  /** @type {Map<string, number>} */
  #retryAt = new Map();
  /** @type {Levels} */
  #levels = { volume: 0, muted: false, musicOff: false, silenced: false };
  /** The gate's power goes from `from` to `to`, 0 or 1, beginning at `at`. */
  #gating = { from: 0, to: 0, at: 0 };

  /**
   * @param {BaseAudioContext} context
   * @param {AudioNode} out
   * @param {import("./announcer.js").Times} times
   * @param {Opener} open
   */
  constructor(context, out, times, open) {
    this.#context = context;
    this.#times = times;
    this.#open = open;
    this.#volume = new GainNode(context, { gain: 0 });
    this.#gate = new GainNode(context, { gain: 0 });
    this.#gate.connect(this.#volume).connect(out);
  }

  /** @param {Levels} levels */
  set levels(levels) {
    this.#levels = levels;
    const level = levels.muted ? 0 : gainOfVolume(levels.volume);
    this.#volume.gain.setTargetAtTime(level, this.#context.currentTime, VOLUME_S / 3);
  }

  /**
   * Takes a new plan. What sounds and is in it goes on; what sounds and is not fades out.
   * @param {Plan} plan
   * @param {number} now µs UTC
   */
  setPlan(plan, now) {
    this.#base = plan;
    this.#take(repeated(plan, now), now);
  }

  /** The plan that holds now: past its end it goes round again. */
  get plan() {
    return this.#plan;
  }

  /**
   * Does what is due; to be called several times a second.
   * @param {number} now µs UTC, as heard
   */
  look(now) {
    const base = this.#base;
    if (base === null || this.#plan === null) return;
    if (now >= this.#plan.valid_until || (this.#plan !== base && now < this.#plan.valid_from)) {
      this.#take(repeated(base, now), now);
    }
    this.#steerGate(this.#plan, now);
    for (const segment of dueSegments(this.#plan, now)) this.#prepare(this.#plan, segment, now);
    for (const [key, voice] of this.#voices) {
      const over = Math.min(voice.segment.end_at, (voice.released_at ?? Infinity) + RELEASE_US);
      if (now >= over + LATENCY_US) this.#drop(key, voice);
      else this.#advance(voice, now);
    }
  }

  /**
   * The segments that are heard at an instant, behind the gate and under the words or not; two in a crossfade.
   * @param {number} now µs UTC
   * @returns {Segment[]}
   */
  sounding(now) {
    const playing = [...this.#voices.values()].filter(({ segment, head, entered_at }) => {
      return head !== null && now >= (entered_at ?? segment.start_at) && now < segment.end_at;
    });
    return playing.map((voice) => voice.segment).sort((a, b) => a.start_at - b.start_at);
  }

  /**
   * Whether music passes the gate.
   * @param {number} now µs UTC
   */
  audible(now) {
    return this.#power(now) > 0;
  }

  /**
   * Whether music passes the gate and the volume.
   * @param {number} now µs UTC
   */
  heard(now) {
    return this.audible(now) && !this.#levels.muted && this.#levels.volume > 0;
  }

  /** The output failed, or its clock was set anew: every source begins again where the timeline is. */
  restart() {
    for (const voice of this.#voices.values()) this.#unschedule(voice);
  }

  /**
   * @param {Plan} plan
   * @param {number} now
   */
  #take(plan, now) {
    this.#plan = plan;
    this.#retryAt.clear();
    const byId = new Map(plan.programme.map((each) => [each.id, each]));
    for (const [key, voice] of this.#voices) {
      const same = JSON.stringify(byId.get(key)) === JSON.stringify(voice.segment);
      if (same || voice.released_at !== null) continue;
      this.#voices.delete(key);
      if (voice.head === null) {
        this.#drop(key, voice);
        continue;
      }
      voice.released_at = now;
      const at = this.#context.currentTime;
      voice.release.gain.setValueAtTime(1, at).linearRampToValueAtTime(0, at + RELEASE_US / 1e6);
      voice.head.stop(at + RELEASE_US / 1e6);
      this.#voices.set(`${key} released at ${now}`, voice);
    }
  }

  /**
   * Opens a segment that has no voice yet.
   * @param {Plan} plan
   * @param {Segment} segment
   * @param {number} now
   */
  #prepare(plan, segment, now) {
    if (this.#voices.has(segment.id) || (this.#retryAt.get(segment.id) ?? now) > now) return;
    const asset = assetsByHash(plan).get(segment.sha256);
    const release = new GainNode(this.#context);
    const fades = new GainNode(this.#context, { gain: 0 });
    fades.connect(release).connect(this.#gate);
    /** @type {Voice} */
    const voice = {
      segment,
      gain: gainOfDb(asset?.gain_db ?? 0),
      cutShort: asset !== undefined && cutShort(segment, asset.duration_ms),
      buffer: null,
      head: null,
      fades,
      release,
      entered_at: null,
      drawn_us: 0,
      drawn: 0,
      released_at: null,
    };
    this.#voices.set(segment.id, voice);
    void this.#open(segment.sha256, asset?.duration_ms ?? 0).then((buffer) => {
      voice.buffer = buffer;
      if (buffer !== null || this.#voices.get(segment.id) !== voice) return;
      this.#drop(segment.id, voice);
      this.#retryAt.set(segment.id, now + RETRY_US);
    });
  }

  /**
   * Schedules, steers and draws one voice.
   * @param {Voice} voice
   * @param {number} now
   */
  #advance(voice, now) {
    const { segment, buffer, released_at } = voice;
    if (buffer === null || released_at !== null) return;
    if (voice.head === null) {
      const begins = Math.max(segment.start_at, now + CATCH_UP_US);
      if (segment.start_at > now + AHEAD_US || begins >= segment.end_at) return;
      voice.entered_at = begins > segment.start_at ? begins : null;
      const when = this.#times.contextTime(begins);
      const position = positionUs(segment, begins) / 1e6;
      voice.head =
        buffer instanceof Blob
          ? new StreamHead(this.#context, buffer, voice.fades, when, position)
          : new Head(this.#context, buffer, voice.fades, when, position);
      voice.drawn_us = begins;
      voice.drawn = fadeAt(segment, begins, how(voice)) * voice.gain;
      voice.fades.gain.setValueAtTime(voice.drawn, when);
    } else {
      const heard = this.#times.instantAt(this.#context.currentTime);
      if (!voice.head.steer(positionUs(segment, heard) / 1e6)) return this.#unschedule(voice);
    }
    this.#draw(voice, Math.min(now + AHEAD_US, segment.end_at));
  }

  /**
   * Draws the fades of a voice on, until an instant; at the segment's end the source stops.
   * @param {Voice} voice
   * @param {number} until µs UTC
   */
  #draw(voice, until) {
    const param = voice.fades.gain;
    for (let at = voice.drawn_us; at < until;) {
      const before = at;
      at = Math.min(at + STEP_US, until);
      // The end itself is silent already; where nothing fades, the source is whole until there.
      const gain = fadeAt(voice.segment, Math.min(at, voice.segment.end_at - 1), how(voice)) * voice.gain;
      if (gain !== voice.drawn) {
        param.setValueAtTime(voice.drawn, this.#times.contextTime(before));
        param.linearRampToValueAtTime(gain, this.#times.contextTime(at));
      }
      voice.drawn_us = at;
      voice.drawn = gain;
    }
    if (voice.drawn_us >= voice.segment.end_at) voice.head?.stop(this.#times.contextTime(voice.segment.end_at));
  }

  /**
   * The source is taken back; the voice enters anew at the next look.
   * @param {Voice} voice
   */
  #unschedule(voice) {
    voice.head?.drop();
    voice.head = null;
    voice.fades.gain.cancelScheduledValues(0);
    voice.fades.gain.setValueAtTime(0, this.#context.currentTime);
  }

  /**
   * @param {string} key
   * @param {Voice} voice
   */
  #drop(key, voice) {
    voice.head?.drop();
    voice.release.disconnect();
    this.#voices.delete(key);
  }

  /**
   * @param {Plan} plan
   * @param {number} now
   */
  #steerGate(plan, now) {
    const to = gateShut(plan, now, this.#levels) ? 0 : 1;
    if (to === this.#gating.to) return;
    const from = this.#power(now);
    this.#gating = { from, to, at: now };
    const param = this.#gate.gain;
    const begin = this.#context.currentTime;
    const length = (Math.abs(to - from) * GATE_US) / 1e6;
    const steps = Math.ceil(length / 0.02);
    param.cancelScheduledValues(begin);
    param.setValueAtTime(Math.sqrt(from), begin);
    for (let n = 1; n <= steps; n++) {
      param.linearRampToValueAtTime(Math.sqrt(from + ((to - from) * n) / steps), begin + (length * n) / steps);
    }
  }

  /**
   * The gate's power at an instant, 0 to 1.
   * @param {number} now
   */
  #power(now) {
    const { from, to, at } = this.#gating;
    const gone = Math.max(0, now - at) / GATE_US;
    return to > from ? Math.min(to, from + gone) : Math.max(to, from - gone);
  }
}

/** @param {Voice} voice */
const how = (voice) => ({ enteredAt: voice.entered_at, cutShort: voice.cutShort });
