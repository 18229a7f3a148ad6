/**
 * What a person asks of this one speaker: `control` and `test_tone`.
 *
 * `pause` and `stop` silence the music of this speaker alone; its timeline runs on, so `play` comes back in step with the
 * others. A pause ends with the page, a stop outlasts it. `next` is refused: the programme belongs to the floor.
 */

import { bufferOf, identify, sine } from "./sound/tones.js";

/** @typedef {import("./rules/messages.js").Body<"control">} Control */
/** @typedef {import("./rules/messages.js").Body<"test_tone">} TestTone */

const TONE_AFTER_US = 300_000;
const TONE_DUCK_DB = -15;
const LEAST_VOLUME = 30;
const REMEMBERED = 256;
/** Time for the result to leave before the page is loaded anew. */
const RESTART_AFTER_MS = 200;

export class Commands {
  #speaker;
  /** @type {string[]} */
  #seen = [];
  /** @type {Set<string>} */
  #tones = new Set();

  /** @param {import("./speaker.js").Speaker} speaker */
  constructor(speaker) {
    this.#speaker = speaker;
  }

  /**
   * Carries out a command, and answers; one that was seen before is not done again.
   * @param {{type: "control", body: Control} | {type: "test_tone", body: TestTone}} command
   */
  take({ type, body }) {
    if (this.#seen.includes(body.command_id)) return;
    this.#seen = [...this.#seen, body.command_id].slice(-REMEMBERED);
    const rate = this.#speaker.output.sampleRate;
    if (type === "test_tone") this.#tone(body.command_id, sine(body.hz, body.ms, rate));
    else if (body.expires_at <= this.#speaker.time.now()) this.#answer(body.command_id, "expired");
    else void this.#control(body);
  }

  /** Somebody in front of the speaker wants to hear it; nobody is answered. */
  identify() {
    this.#sound(crypto.randomUUID(), identify(this.#speaker.output.sampleRate));
  }

  /**
   * A tone is answered when it has begun to sound.
   * @param {import("./output.js").Note} note
   */
  hear(note) {
    if (note.told === "started" && this.#tones.delete(note.clip.key)) this.#answer(note.clip.key);
    if (note.told !== "failed") return;
    for (const { key } of note.lost) if (this.#tones.delete(key)) this.#answer(key, note.why);
  }

  /** @param {Control} command */
  async #control({ command_id, action }) {
    const speaker = this.#speaker;
    if (action === "next") {
      this.#answer(command_id, "the programme is shared by the speakers of the floor: skip it there");
    } else if (action === "identify") {
      this.#tone(command_id, identify(speaker.output.sampleRate));
    } else {
      if (action === "pause") speaker.pause();
      if (action === "play" || action === "stop") await speaker.setStopped(action === "stop");
      const problem = action === "refetch" ? await speaker.plans.refresh({ anew: true }) : "";
      this.#answer(command_id, problem);
      if (action === "restart") setTimeout(() => speaker.restart(), RESTART_AFTER_MS);
    }
  }

  /**
   * @param {string} key
   * @param {Float32Array<ArrayBuffer>} samples
   */
  #tone(key, samples) {
    const { output, state } = this.#speaker;
    if (state.muted) return this.#answer(key, "the speaker is muted");
    if (!output.ready) return this.#answer(key, "the browser does not let the page sound");
    this.#tones.add(key);
    this.#sound(key, samples);
  }

  /**
   * @param {string} key
   * @param {Float32Array<ArrayBuffer>} samples
   */
  #sound(key, samples) {
    const { output, state, time } = this.#speaker;
    output.start({
      key,
      kind: "tone",
      buffer: bufferOf(samples, output.sampleRate),
      start_at: time.now() + TONE_AFTER_US,
      offset_ms: 0,
      volume: Math.max(LEAST_VOLUME, state.volume),
      gain_db: 0,
      duck_db: TONE_DUCK_DB,
      emergency: false,
    });
  }

  /**
   * @param {string} command_id
   * @param {string} [error] "" if it went well
   */
  #answer(command_id, error = "") {
    this.#speaker.link.say({ type: "command_result", command_id, ok: !error, error }, { urgent: true });
  }
}
