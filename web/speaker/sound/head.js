/**
 * A sound that plays from a decoded buffer, its position known at every moment, so that it can be kept on a timeline
 * though the output's crystal runs at its own pace: its rate is bent by at most 0.2 %.
 */

import { steering } from "../rules/programme.js";

/** An error is looked at this often. */
const STEER_EVERY_S = 1;

export class Head {
  #context;
  #source;
  #position;
  #at;
  #rate = 1;
  #endsAt = Infinity;

  /**
   * The sample at `position` (s of the buffer) leaves at context time `when`; what is too late for that enters at the
   * position that is due then.
   * @param {BaseAudioContext} context
   * @param {AudioBuffer} buffer
   * @param {AudioNode} out
   * @param {number} when
   * @param {number} position
   */
  constructor(context, buffer, out, when, position) {
    const late = Math.max(0, context.currentTime - when);
    this.#context = context;
    this.#at = when + late;
    this.#position = position + late;
    /** When it enters (context time), and where (s of the buffer). */
    this.enters = { when: this.#at, position: this.#position };
    this.#source = new AudioBufferSourceNode(context, { buffer });
    this.#source.connect(out);
    this.#source.start(this.#at, this.#position);
    this.duration = buffer.duration;
  }

  /**
   * Where it is at a context time, in s of the buffer.
   * @param {number} contextTime
   */
  position(contextTime) {
    return this.#position + (contextTime - this.#at) * this.#rate;
  }

  /** The context time at which its last sample leaves. */
  get endsAt() {
    return Math.min(this.#endsAt, this.#at + (this.duration - this.#position) / this.#rate);
  }

  /**
   * Steers towards where it should be now; false if it is too far away for that.
   * @param {number} wanted s of the buffer
   */
  steer(wanted) {
    const now = this.#context.currentTime;
    if (now < this.#at + STEER_EVERY_S) return true;
    const rate = steering((this.position(now) - wanted) * 1e6);
    if (rate === null) return false;
    this.#position = this.position(now);
    this.#at = now;
    this.#rate = rate;
    this.#source.playbackRate.setValueAtTime(rate, now);
    return true;
  }

  /**
   * It ends at a context time, at once without one.
   * @param {number} [at]
   */
  stop(at = 0) {
    this.#endsAt = Math.min(this.#endsAt, Math.max(at, this.#context.currentTime));
    this.#source.stop(at);
  }

  /** It is not heard any more, and takes nothing. */
  drop() {
    this.#source.disconnect();
    this.stop();
  }
}
