/**
 * Lets clips (announcements and tones) sound at their instants through Web Audio, and turns the music down under them.
 *
 * The graph: music → ducked → out; each clip → its own gain → out. `contextTime` says at which context time a sample
 * must be scheduled to be heard at an instant (µs UTC); the caller makes it of the server's and the output's clock.
 * What is scheduled is in the browser's hands: neither a busy page nor a throttled timer can make it late.
 */

import { FADE_BACK_US, duckLine, gainOfDb, gainOfVolume, musicGain } from "./rules/levels.js";

/**
 * What is to sound: `buffer` from `offset_ms` on, its first sample heard at `start_at`. `key` is the event's id or the
 * command's. `volume` 0–100 stands by itself; it is not multiplied by the speaker's.
 * @typedef {{key: string, buffer: AudioBuffer, start_at: number, offset_ms: number, volume: number, gain_db: number,
 *   duck_db: number, muted: boolean}} Clip
 */
/** @typedef {{clip: Clip, source: AudioBufferSourceNode, gain: GainNode, end_at: number}} Voice */

/** The fade at an edge that does not lie at the clip's own beginning. */
const DECLICK_S = 0.01;
const SLEW_S = 0.05;

export class Announcer {
  #context;
  #contextTime;
  #out;
  /** @type {Map<string, Voice>} */
  #voices = new Map();
  /** @type {(import("./rules/levels.js").Duck & {key: string})[]} */
  #ducks = [];
  /** The ducks by which the level was drawn last. @type {import("./rules/levels.js").Duck[]} */
  #drawn = [];

  /**
   * @param {BaseAudioContext} context
   * @param {AudioNode} out
   * @param {(instant: number) => number} contextTime
   */
  constructor(context, out, contextTime) {
    this.#context = context;
    this.#contextTime = contextTime;
    this.#out = out;
    /** Where the music goes in. */
    this.music = new GainNode(context);
    this.music.connect(out);
  }

  /**
   * Arms a clip. `ended` is called when its last sample has left, faded out or not; not after `disarm`.
   * @param {Clip} clip
   * @param {number} now µs UTC
   * @param {() => void} ended
   */
  start(clip, now, ended) {
    const when = this.#contextTime(clip.start_at);
    const level = clip.muted ? 0 : gainOfVolume(clip.volume) * gainOfDb(clip.gain_db);
    const gain = new GainNode(this.#context, { gain: clip.offset_ms ? 0 : level });
    if (clip.offset_ms) gain.gain.setValueAtTime(0, when).linearRampToValueAtTime(level, when + DECLICK_S);
    const source = new AudioBufferSourceNode(this.#context, { buffer: clip.buffer });
    source.connect(gain).connect(this.#out);
    const endAt = clip.start_at + clip.buffer.duration * 1e6 - clip.offset_ms * 1000;
    this.#voices.set(clip.key, { clip, source, gain, end_at: endAt });
    source.onended = () => {
      this.#voices.delete(clip.key);
      gain.disconnect();
      ended();
    };
    source.start(when, clip.offset_ms / 1000);
    this.#ducks.push({ key: clip.key, start_at: clip.start_at, end_at: endAt, depth_db: clip.duck_db });
    this.#duck(now);
  }

  /** Takes back a clip that has not started. @param {string} key @param {number} now µs UTC */
  disarm(key, now) {
    const voice = this.#voices.get(key);
    if (voice === undefined) return;
    voice.source.onended = null;
    voice.source.stop();
    voice.gain.disconnect();
    this.#voices.delete(key);
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
    const end = this.#contextTime(Math.max(now, endAt));
    const level = voice.clip.muted ? 0 : gainOfVolume(voice.clip.volume) * gainOfDb(voice.clip.gain_db);
    voice.gain.gain.setValueAtTime(level, end - fadeMs / 1000).linearRampToValueAtTime(0, end);
    voice.source.stop(end);
    const duck = this.#ducks.find((each) => each.key === key);
    if (duck !== undefined) duck.end_at = Math.min(duck.end_at, endAt);
    this.#duck(now);
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
    const from = Math.max(this.#context.currentTime, this.#contextTime(now));
    const until = Math.max(now, ...this.#ducks.map((each) => each.end_at + FADE_BACK_US));
    param.cancelScheduledValues(from);
    param.setValueAtTime(held, from);
    for (const { at, gain } of duckLine(this.#ducks, now + SLEW_S * 1e6, until + SLEW_S * 1e6)) {
      param.linearRampToValueAtTime(gain, this.#contextTime(at));
    }
  }
}
