/**
 * Lets clips (announcements and tones) sound at their instants through Web Audio, and turns the music down under them.
 *
 * The graph: music → ducked → out; each clip → its own gain → words → out, emergencies → out: they alone are heard
 * through mute. What is scheduled is in the browser's hands: neither a busy page nor a throttled timer can make it late.
 */

import { FADE_BACK_US, duckLine, gainOfDb, gainOfVolume, musicGain } from "../rules/levels.js";
import { Head } from "./head.js";

/**
 * What is to sound: `buffer` from `offset_ms` on, its first sample heard at `start_at`. `key` is the event's id or the
 * command's. `volume` 0–100 stands by itself; it is not multiplied by the speaker's.
 * @typedef {{key: string, kind: "announcement" | "tone", buffer: AudioBuffer, start_at: number, offset_ms: number,
 *   volume: number, gain_db: number, duck_db: number, emergency: boolean}} Clip
 */
/**
 * How instants (µs UTC) and context times (s) meet at the output: when a sample must be scheduled to be heard at an
 * instant, and the instant at which a context time's sample is heard.
 * @typedef {{contextTime: (instant: number) => number, instantAt: (contextTime: number) => number}} Times
 */
/**
 * What became of a clip: its first sample was heard, or its last; `played_ms` of it sounded.
 * @typedef {{told: "started", clip: Clip, at: number, muted: boolean}
 *   | {told: "ended", clip: Clip, at: number, played_ms: number}} Note
 */
/**
 * @typedef {{clip: Clip, head: Head, gain: GainNode, started: boolean, fade: {end_at: number, fade_ms: number} | null}}
 * Voice
 */

/** The fade at an edge that does not lie at the clip's own beginning. */
const DECLICK_S = 0.01;
const SLEW_S = 0.05;

export class Announcer {
  #context;
  #times;
  #out;
  #words;
  #muted = false;
  /** @type {Map<string, Voice>} */
  #voices = new Map();
  /** @type {(import("../rules/levels.js").Duck & {key: string})[]} */
  #ducks = [];
  /** The ducks by which the level was drawn last. @type {import("../rules/levels.js").Duck[]} */
  #drawn = [];

  /**
   * @param {BaseAudioContext} context
   * @param {AudioNode} out
   * @param {Times} times
   */
  constructor(context, out, times) {
    this.#context = context;
    this.#times = times;
    this.#out = out;
    /** Where the music goes in. */
    this.music = new GainNode(context);
    this.music.connect(out);
    this.#words = new GainNode(context);
    this.#words.connect(out);
  }

  /** The clip that sounds now, if any, and where it is. */
  get sounding() {
    const voice = [...this.#voices.values()].find((each) => each.started);
    if (voice === undefined) return null;
    return { clip: voice.clip, position_ms: Math.round(voice.head.position(this.#context.currentTime) * 1000) };
  }

  /**
   * Mutes all but emergencies, also what sounds already.
   * @param {boolean} muted
   */
  set muted(muted) {
    this.#muted = muted;
    this.#words.gain.setTargetAtTime(muted ? 0 : 1, this.#context.currentTime, SLEW_S / 3);
  }

  /**
   * Arms a clip.
   * @param {Clip} clip
   * @param {number} now µs UTC
   */
  start(clip, now) {
    const voice = this.#voice(clip);
    this.#voices.set(clip.key, voice);
    const endAt = clip.start_at + clip.buffer.duration * 1e6 - clip.offset_ms * 1000;
    this.#ducks.push({ key: clip.key, start_at: clip.start_at, end_at: endAt, depth_db: clip.duck_db });
    this.#duck(now);
  }

  /**
   * Takes back a clip that has not started.
   * @param {string} key
   * @param {number} now µs UTC
   */
  disarm(key, now) {
    const voice = this.#voices.get(key);
    if (voice === undefined) return;
    this.#drop(voice);
    this.#ducks = this.#ducks.filter((each) => each.key !== key);
    this.#duck(now);
  }

  /**
   * Fades a clip out, so that it is silent at `endAt`.
   * @param {string} key
   * @param {number} endAt
   * @param {number} fadeMs
   * @param {number} now
   */
  fadeOut(key, endAt, fadeMs, now) {
    const voice = this.#voices.get(key);
    if (voice === undefined) return;
    voice.fade = { end_at: Math.max(now, endAt), fade_ms: fadeMs };
    this.#fade(voice);
    const duck = this.#ducks.find((each) => each.key === key);
    if (duck !== undefined) duck.end_at = Math.min(duck.end_at, endAt);
    this.#duck(now);
  }

  /**
   * Keeps clips on their timeline, and tells what was heard since the last look.
   * @param {number} heardTime the context time that is heard now
   * @returns {Note[]}
   */
  look(heardTime) {
    /** @type {Note[]} */
    const notes = [];
    for (const voice of [...this.#voices.values()]) {
      const { clip, head } = voice;
      const { when, position } = head.enters;
      if (!voice.started && heardTime >= when && head.endsAt > when) {
        voice.started = true;
        const muted = this.#muted && !clip.emergency;
        notes.push({ told: "started", clip, at: Math.round(this.#times.instantAt(when)), muted });
      }
      if (heardTime >= head.endsAt) {
        const played_ms = Math.max(0, Math.floor((head.position(head.endsAt) - position) * 1000 + 0.5));
        notes.push({ told: "ended", clip, at: Math.round(this.#times.instantAt(head.endsAt)), played_ms });
        this.#drop(voice);
      } else if (voice.started) {
        // Words never jump: what is too far away to be steered goes on as it is.
        head.steer(this.#wanted(clip, this.#context.currentTime));
      }
    }
    return notes;
  }

  /** The output's clock was set anew: what has not started yet is scheduled again. */
  rearm() {
    for (const voice of [...this.#voices.values()]) {
      if (voice.head.enters.when <= this.#context.currentTime) continue;
      this.#drop(voice);
      const again = { ...this.#voice(voice.clip), fade: voice.fade };
      this.#voices.set(voice.clip.key, again);
      if (again.fade !== null) this.#fade(again);
    }
  }

  /**
   * The output has failed: everything is taken back.
   * @param {number} now µs UTC
   * @returns {Clip[]} what was armed or sounding
   */
  lose(now) {
    const lost = [...this.#voices.values()];
    lost.forEach((voice) => this.#drop(voice));
    this.#ducks = [];
    this.#duck(now);
    return lost.map((voice) => voice.clip);
  }

  /**
   * @param {Clip} clip
   * @returns {Voice}
   */
  #voice(clip) {
    const level = levelOf(clip);
    const gain = new GainNode(this.#context, { gain: level });
    gain.connect(clip.emergency ? this.#out : this.#words);
    const when = this.#times.contextTime(clip.start_at);
    const head = new Head(this.#context, clip.buffer, gain, when, clip.offset_ms / 1000);
    if (head.enters.position > 0) {
      gain.gain.setValueAtTime(0, head.enters.when).linearRampToValueAtTime(level, head.enters.when + DECLICK_S);
    }
    return { clip, head, gain, started: false, fade: null };
  }

  /** @param {Voice} voice */
  #fade({ clip, head, gain, fade }) {
    if (fade === null) return;
    const level = levelOf(clip);
    const end = Math.max(this.#context.currentTime, this.#times.contextTime(fade.end_at));
    const begin = Math.max(this.#context.currentTime, end - fade.fade_ms / 1000);
    gain.gain.cancelScheduledValues(begin);
    gain.gain.setValueAtTime(level, begin).linearRampToValueAtTime(0, end);
    head.stop(end);
  }

  /** @param {Voice} voice */
  #drop(voice) {
    voice.head.drop();
    voice.gain.disconnect();
    this.#voices.delete(voice.clip.key);
  }

  /**
   * Where a clip should be when this context time is heard, in s.
   * @param {Clip} clip
   * @param {number} contextTime
   */
  #wanted(clip, contextTime) {
    return (this.#times.instantAt(contextTime) - clip.start_at) / 1e6 + clip.offset_ms / 1000;
  }

  /**
   * Draws the music's level anew from `now` on; what became known too late for a fade is followed within 50 ms.
   * @param {number} now
   */
  #duck(now) {
    const held = musicGain(this.#drawn, now);
    this.#ducks = this.#ducks.filter((each) => each.end_at + FADE_BACK_US > now);
    this.#drawn = this.#ducks.map((each) => ({ ...each }));
    const param = this.music.gain;
    const from = Math.max(this.#context.currentTime, this.#times.contextTime(now));
    const until = Math.max(now, ...this.#ducks.map((each) => each.end_at + FADE_BACK_US));
    param.cancelScheduledValues(from);
    param.setValueAtTime(held, from);
    for (const { at, gain } of duckLine(this.#ducks, now + SLEW_S * 1e6, until + SLEW_S * 1e6)) {
      param.linearRampToValueAtTime(gain, this.#times.contextTime(at));
    }
  }
}

/** @param {Clip} clip */
const levelOf = (clip) => gainOfVolume(clip.volume) * gainOfDb(clip.gain_db);
