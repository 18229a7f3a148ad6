/**
 * Which music was heard, noticed look by look at what the audio engine lets sound.
 *
 * A stretch is one segment of the programme sounding without a break; what is silent for less than `BREAK_US` is no
 * break. In a crossfade two stretches run at once, for both tracks are heard.
 */

/** @typedef {import("./plan.js").Segment} Segment */
/**
 * A stretch so far, or as a whole if it is `over`. Instants are µs of the monotonic clock.
 * @typedef {{report_id: string, segment_id: string, music_id: number, began_us: number, ended_us: number,
 *   played_ms: number, over: boolean}} MusicHeard
 */

export const BREAK_US = 1_000_000;
/** A stretch that lasts is told this often, so that a crash loses no more of it. */
export const TOLD_EVERY_US = 60_000_000;

/** Hears what the audio engine plays. */
export class Ears {
  /** @type {Map<string, {report_id: string, segment_id: string, music_id: number, began_us: number,
   *   ended_us: number, told_us: number, heard_us: number}>} */
  #open = new Map();
  #newId;

  /** @param {() => string} newId a fresh UUID at each call */
  constructor(newId) {
    this.#newId = newId;
  }

  /**
   * What sounded during [beginUs, endUs), and what is to be told of it. A segment that does not name its track (a plan
   * of an older server) is not told.
   * @param {Iterable<Segment>} sounding
   * @param {number} beginUs
   * @param {number} endUs
   * @returns {MusicHeard[]}
   */
  look(sounding, beginUs, endUs) {
    for (const { id, music_id } of sounding) {
      if (music_id === null) continue;
      const stretch = this.#open.get(id) ?? {
        report_id: this.#newId(),
        segment_id: id,
        music_id,
        began_us: beginUs,
        ended_us: endUs,
        told_us: beginUs,
        heard_us: 0,
      };
      stretch.ended_us = endUs;
      stretch.heard_us += endUs - beginUs;
      this.#open.set(id, stretch);
    }
    /** @type {MusicHeard[]} */
    const told = [];
    for (const [id, stretch] of this.#open) {
      if (endUs - stretch.ended_us >= BREAK_US) {
        this.#open.delete(id);
        told.push(heard(stretch, true));
      } else if (endUs - stretch.told_us >= TOLD_EVERY_US) {
        stretch.told_us = endUs;
        told.push(heard(stretch, false));
      }
    }
    return told;
  }

  /** Nothing is heard any more: all that was is over. @returns {MusicHeard[]} */
  stop() {
    const told = [...this.#open.values()].map((stretch) => heard(stretch, true));
    this.#open.clear();
    return told;
  }
}

/**
 * @param {{report_id: string, segment_id: string, music_id: number, began_us: number, ended_us: number,
 *   heard_us: number}} stretch
 * @param {boolean} over
 * @returns {MusicHeard}
 */
function heard(stretch, over) {
  const { report_id, segment_id, music_id, began_us, ended_us } = stretch;
  return { report_id, segment_id, music_id, began_us, ended_us, played_ms: Math.floor(stretch.heard_us / 1000), over };
}
