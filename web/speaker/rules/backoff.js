/** When to come back after a connection ended: the protocol's rules as a table and one small state. */

const FIRST_S = 5;
/** After an outage, however long, all are back within ten seconds. */
const CEILING_S = 10;
const STABLE_S = 60;
/** A token that is not accepted is tried again this often. */
export const REFUSED_S = 900;
/** Close codes that say: another speaker holds this identity; the token is not accepted; the speaker was removed. */
export const SUPERSEDED = 4409;
export const BAD_TOKEN = 4401;
export const FORBIDDEN = 4403;

/**
 * Close codes that ask for a wait of their own (seconds); the wait is spread over its upper half. Superseded means
 * that another page holds this identity: coming back at once would throw it out in turn.
 * @type {ReadonlyMap<number, number>}
 */
const FIXED_WAIT_S = new Map([
  [BAD_TOKEN, REFUSED_S],
  [FORBIDDEN, REFUSED_S],
  [4426, REFUSED_S],
  [SUPERSEDED, 120],
  [4429, 60],
  [1013, 15],
]);

/** Seconds to wait before the next attempt: first uniform(0, 5), then uniform(0, min(10, 2ⁿ)). */
export class Backoff {
  #random;
  #failures = 0;

  /** @param {() => number} random uniform in [0, 1) */
  constructor(random) {
    this.#random = random;
  }

  /**
   * Tells how long a session lasted after its welcome: a stable minute forgets earlier failures.
   * @param {number} seconds
   */
  lasted(seconds) {
    if (seconds >= STABLE_S) this.#failures = 0;
  }

  /**
   * Seconds until the next attempt after a failure, or after a close with `closeCode`.
   * @param {number | null} [closeCode]
   */
  nextWait(closeCode = null) {
    const fixed = closeCode === null ? undefined : FIXED_WAIT_S.get(closeCode);
    if (fixed !== undefined) {
      const least = fixed < REFUSED_S ? fixed / 2 : fixed;
      return least + (fixed - least) * this.#random();
    }
    const span = this.#failures === 0 ? FIRST_S : Math.min(CEILING_S, 2 ** this.#failures);
    this.#failures += 1;
    return span * this.#random();
  }
}
