/**
 * A long sound, decoded as it plays by a media element instead of as a whole into memory. Its position is known to some
 * milliseconds only, so it is kept on the timeline less closely than a `Head`, whose place it can take.
 */

/** Beyond this it is set to its place; nearer it is steered there over `STEER_OVER_S`, by at most `MOST_BENT` of its rate. */
const SEEK_FROM_S = 0.15;
const STEER_OVER_S = 5;
const MOST_BENT = 0.005;

export class StreamHead {
  #context;
  #audio;
  #node;
  #url;
  #endsAt = Infinity;
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];

  /**
   * The sound at `position` (s) leaves at context time `when`, as nearly as a timer and a media element can.
   * @param {BaseAudioContext} context
   * @param {Blob} file
   * @param {AudioNode} out
   * @param {number} when
   * @param {number} position
   */
  constructor(context, file, out, when, position) {
    this.#context = context;
    this.enters = { when, position };
    this.#url = URL.createObjectURL(file);
    this.#audio = new Audio(this.#url);
    this.#audio.preservesPitch = false;
    this.#audio.currentTime = position;
    const live = /** @type {AudioContext} */ (context); // an offline one has nothing to do with media elements
    this.#node = new MediaElementAudioSourceNode(live, { mediaElement: this.#audio });
    this.#node.connect(out);
    this.#later(when, () => this.#audio.play().catch((error) => console.warn("a long track does not play:", error)));
  }

  /**
   * Where it is at a context time, in s.
   * @param {number} contextTime
   */
  position(contextTime) {
    return this.#audio.currentTime + contextTime - this.#context.currentTime;
  }

  /** The context time at which it ends. */
  get endsAt() {
    const left = this.#audio.duration - this.#audio.currentTime;
    return Math.min(this.#endsAt, this.#context.currentTime + (Number.isNaN(left) ? Infinity : left));
  }

  /**
   * Brings it towards where it should be now; a media element can always be brought there.
   * @param {number} wanted s
   */
  steer(wanted) {
    if (this.#audio.paused || this.#audio.seeking) return true;
    const ahead = this.#audio.currentTime - wanted;
    if (Math.abs(ahead) > SEEK_FROM_S) this.#audio.currentTime = wanted;
    else this.#audio.playbackRate = 1 - Math.min(MOST_BENT, Math.max(-MOST_BENT, ahead / STEER_OVER_S));
    return true;
  }

  /**
   * It ends at a context time, at once without one.
   * @param {number} [at]
   */
  stop(at = 0) {
    this.#endsAt = Math.min(this.#endsAt, Math.max(at, this.#context.currentTime));
    this.#later(at, () => this.#audio.pause());
  }

  /** It is not heard any more, and takes nothing. */
  drop() {
    this.#timers.forEach(clearTimeout);
    this.#audio.pause();
    this.#node.disconnect();
    this.#audio.removeAttribute("src");
    URL.revokeObjectURL(this.#url);
  }

  /**
   * @param {number} at context time
   * @param {() => void} act
   */
  #later(at, act) {
    this.#timers.push(setTimeout(act, Math.max(0, at - this.#context.currentTime) * 1000));
  }
}
