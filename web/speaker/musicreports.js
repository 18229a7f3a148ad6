/** Reports of the music that was heard: kept in the journal, handed in when there is a server and a known time. */

import { Ears } from "./rules/heard.js";

/** So many stretches are read from the journal at once; the next when these are acknowledged. */
const AT_HAND = 500;

export class MusicReports {
  #speaker;
  #ears = new Ears(() => crypto.randomUUID());
  #lookedUs;

  /** @param {import("./speaker.js").Speaker} speaker */
  constructor(speaker) {
    this.#speaker = speaker;
    this.#lookedUs = speaker.monotonicUs();
  }

  /** Hears what sounds; to be called several times a second. */
  look() {
    const now = this.#speaker.monotonicUs();
    const told = this.#ears.look(this.#speaker.output.heard, this.#lookedUs, now);
    this.#lookedUs = now;
    this.#keep(told);
  }

  /** The page is about to be closed: what sounds is over. */
  stop() {
    this.#keep(this.#ears.stop());
  }

  /** Hands in what is owed, if there is somebody to take it and the time is known. */
  async handIn() {
    const { journal, link, time } = this.#speaker;
    if (link.session?.welcome == null || !time.trusted) return;
    await journal.dateMusic((beganUs) => Math.max(0, Math.round(time.instantAt(beganUs))));
    link.oweMusic(await journal.owedMusic(AT_HAND));
  }

  /**
   * The server has these.
   * @param {readonly string[]} reportIds
   */
  async acknowledged(reportIds) {
    if (!reportIds.length) return;
    await this.#speaker.journal.acknowledgeMusic(reportIds);
    await this.handIn();
  }

  /** @param {readonly import("./rules/heard.js").MusicHeard[]} told */
  #keep(told) {
    if (told.length) this.#speaker.tend(this.#kept(told));
  }

  /** @param {readonly import("./rules/heard.js").MusicHeard[]} told */
  async #kept(told) {
    const { journal, time } = this.#speaker;
    for (const { began_us, ended_us, over, ...heard } of told) {
      const started_at = Math.max(0, Math.round(time.instantAt(began_us)));
      const ended_at = Math.max(0, Math.round(time.instantAt(ended_us)));
      await journal.keepMusic({ ...heard, started_at, ended_at }, { over, dated: time.trusted, began_us });
    }
    if (told.some((each) => each.over)) await this.handIn();
  }
}
