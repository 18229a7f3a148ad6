/**
 * The sound output: an AudioContext, its clock against the server's, the words and the music in it.
 *
 * A browser lets a page sound only after a touch, unless it was told otherwise: until then the output is `blocked`, and
 * nothing is scheduled. When it stops later (taken by a call, the tablet asleep), what was under way is lost and told.
 */

import { NOTHING } from "./rules/messages.js";
import { OutputClock, pairOf } from "./rules/outputclock.js";
import { positionUs } from "./rules/programme.js";
import { Announcer } from "./sound/announcer.js";
import { guard } from "./sound/guard.js";
import { Music } from "./sound/music.js";

/** @typedef {import("./sound/music.js").Levels} Levels */
/** @typedef {import("./sound/announcer.js").Clip} Clip */
/** @typedef {{kind: "music" | "announcement" | "tone" | "nothing", id: string, position_ms: number}} NowPlaying */
/**
 * What the output tells: a clip was heard or is over; or all that was armed is lost, and why.
 * @typedef {import("./sound/announcer.js").Note | {told: "failed", why: string, lost: Clip[]}} Note
 */

/** A pair of the output's clock is taken this often. */
const PAIR_EVERY_US = 250_000;
/** So many make a line that can be trusted for a start. */
const ENOUGH_PAIRS = 3;
const RESUME_EVERY_US = 5_000_000;
const LEVEL_SAMPLES = 1024;

export class Output {
  #context;
  #time;
  #clock = new OutputClock();
  #pairs = 0;
  #pairedUs = -Infinity;
  #wasRunning = false;
  #hasSounded = false;
  #resumedUs = -Infinity;
  #analyser;
  #announcer;
  #samples = new Float32Array(LEVEL_SAMPLES);
  /** The installer's correction: sound leaves that much earlier. */
  outputDelayMs = 0;
  /** How often the output's clock had to be set anew. */
  underruns = 0;

  /**
   * @param {import("./rules/timekeeping.js").Timekeeper} time
   * @param {import("./sound/music.js").Opener} open decodes music
   */
  constructor(time, open) {
    this.#time = time;
    this.#context = new AudioContext({ latencyHint: "balanced" });
    this.#analyser = new AnalyserNode(this.#context, { fftSize: LEVEL_SAMPLES });
    this.#analyser.connect(this.#context.destination);
    const out = guard(this.#context, this.#analyser);
    const times = {
      contextTime: (/** @type {number} */ instant) => this.#contextTime(instant),
      instantAt: (/** @type {number} */ contextTime) => this.#instantAt(contextTime),
    };
    this.#announcer = new Announcer(this.#context, out, times);
    this.music = new Music(this.#context, this.#announcer.music, times, open);
  }

  /** Whether the browser waits for a touch, or has stopped the output. */
  get blocked() {
    return this.#context.state !== "running";
  }

  /** Whether something can be scheduled to be heard at an instant. */
  get ready() {
    return !this.blocked && this.#pairs >= ENOUGH_PAIRS;
  }

  /** How long sound is under way to the ear, as far as the browser knows, ms. */
  get latencyMs() {
    return Math.round((this.#context.outputLatency || this.#context.baseLatency) * 1000);
  }

  /** The decoder's and the tones' samples a second. */
  get sampleRate() {
    return this.#context.sampleRate;
  }

  /** The level that leaves at this moment, RMS, 0 to 1. */
  get level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.sqrt(this.#samples.reduce((sum, each) => sum + each * each, 0) / LEVEL_SAMPLES);
  }

  /** Asks the browser to let it sound; works within a touch. */
  async allow() {
    if (this.blocked) await this.#context.resume();
  }

  /**
   * @param {ArrayBuffer} bytes of a whole file; it is taken over
   * @returns {Promise<AudioBuffer>} rejected with a DOMException where it cannot be decoded
   */
  decode(bytes) {
    return this.#context.decodeAudioData(bytes);
  }

  /** @param {Levels} levels */
  set levels(levels) {
    this.music.levels = levels;
    this.#announcer.muted = levels.muted || levels.silenced;
  }

  /** @param {Clip} clip */
  start(clip) {
    this.#announcer.start(clip, this.#time.now());
  }

  /** @param {string} key */
  disarm(key) {
    this.#announcer.disarm(key, this.#time.now());
  }

  /**
   * @param {string} key
   * @param {number} endAt µs UTC
   * @param {number} fadeMs
   */
  fadeOut(key, endAt, fadeMs) {
    this.#announcer.fadeOut(key, endAt, fadeMs, this.#time.now());
  }

  /**
   * Keeps the clock, the music and the clips; to be called several times a second.
   * @param {number} monotonicUs
   * @returns {Note[]}
   */
  look(monotonicUs) {
    if (this.blocked) return this.#stopped(monotonicUs);
    this.#wasRunning = true;
    this.#hasSounded = true;
    if (monotonicUs - this.#pairedUs >= PAIR_EVERY_US) this.#pair(monotonicUs);
    if (!this.ready) return [];
    this.music.look(this.#heardNow);
    return this.#announcer.look(this.#clock.contextTime(monotonicUs));
  }

  /**
   * What is heard now; an announcement before the music under it.
   * @returns {NowPlaying}
   */
  get nowPlaying() {
    if (!this.ready) return NOTHING;
    const words = this.#announcer.sounding;
    if (words !== null) return { kind: words.clip.kind, id: words.clip.key, position_ms: words.position_ms };
    const now = this.#heardNow;
    const segment = this.music.audible(now) ? this.music.sounding(now).at(-1) : undefined;
    if (segment === undefined) return NOTHING;
    return { kind: "music", id: segment.id, position_ms: Math.max(0, Math.round(positionUs(segment, now) / 1000)) };
  }

  /** The segments that a person could hear now. */
  get heard() {
    const now = this.#heardNow;
    return this.ready && this.music.heard(now) ? this.music.sounding(now) : [];
  }

  /** Ends it for good. */
  async close() {
    await this.#context.close();
  }

  /** The instant of the timeline that is heard now, µs UTC. */
  get #heardNow() {
    return this.#time.now() + this.outputDelayMs * 1000;
  }

  /** @param {number} monotonicUs */
  #pair(monotonicUs) {
    this.#pairedUs = monotonicUs;
    this.#pairs += 1;
    if (!this.#clock.add(pairOf(this.#context, performance.now()))) return;
    this.underruns += 1;
    this.#announcer.rearm();
  }

  /**
   * @param {number} monotonicUs
   * @returns {Note[]}
   */
  #stopped(monotonicUs) {
    if (this.#hasSounded && monotonicUs - this.#resumedUs >= RESUME_EVERY_US) {
      this.#resumedUs = monotonicUs;
      void this.#context.resume(); // taken away by a call or a device: asked for until it is given back
    }
    if (!this.#wasRunning) return [];
    this.#wasRunning = false;
    this.#pairs = 0;
    this.#clock = new OutputClock();
    this.music.restart();
    const lost = this.#announcer.lose(this.#time.now());
    return [{ told: "failed", why: "the browser stopped the sound", lost }];
  }

  /** @param {number} instant µs UTC */
  #contextTime(instant) {
    return this.#clock.contextTime(this.#time.monotonicAt(instant - this.outputDelayMs * 1000));
  }

  /** @param {number} contextTime */
  #instantAt(contextTime) {
    return this.#time.instantAt(this.#clock.heardUs(contextTime)) + this.outputDelayMs * 1000;
  }
}
