/**
 * The server's time on this page: the clock filter, fed by probes, its drift kept from one opening to the next.
 *
 * Each opening of the page is a boot of its own, since a page's monotonic clock begins with it. That clock may also
 * stand still while a tablet sleeps; what it says after that is worth nothing until the server is heard again.
 */

import { ClockFilter, errorUs, guess, monotonicUs, serverUs, stateOf, trusted } from "./clockfilter.js";

/** @typedef {import("./clockfilter.js").Probe} Probe */
/** What this page can tell of time, µs. @typedef {{monotonicUs: () => number, wallUs: () => number}} Clock */
/** What is kept: the drift measured last, in µs/µs. @typedef {{drift: number}} KeptClock */

/** Wall and monotonic clock part by more than a step of the network's time does: the machine was asleep. */
export const SLEPT_US = 2_000_000;

/** Ask it for `now`; tell it each probe, and let it `look` now and then. */
export class Timekeeper {
  #clock;
  #filter;
  /** @type {string | null} */
  #burst = null;
  #apartUs;

  /** @param {Clock} clock @param {KeptClock | null} kept */
  constructor(clock, kept) {
    this.#clock = clock;
    this.#filter = begin(clock, kept?.drift ?? null);
    this.#apartUs = clock.wallUs() - clock.monotonicUs();
  }

  get estimate() {
    return this.#filter.estimate;
  }

  /** µs UTC of the server, as well as it is known. */
  now() {
    return Math.round(serverUs(this.estimate, this.#clock.monotonicUs()));
  }

  /** Whether scheduled announcements may be played by it. */
  get trusted() {
    return trusted(this.estimate, this.#clock.monotonicUs());
  }

  /**
   * The server's time at a reading of the monotonic clock, both µs.
   * @param {number} monotonicUs
   */
  instantAt(monotonicUs) {
    return serverUs(this.estimate, monotonicUs);
  }

  /** The reading of the monotonic clock at an instant of the server's, both µs. @param {number} instant */
  monotonicAt(instant) {
    return monotonicUs(this.estimate, instant);
  }

  /** What is told to the server. Without any contact there is no bound of the error. */
  report() {
    const now = this.#clock.monotonicUs();
    const known = this.estimate.contact_us !== null;
    return {
      state: stateOf(this.estimate, now),
      error_us: known ? errorUs(this.estimate, now) : null,
      drift_ppb: known ? Math.round(this.estimate.drift * 1e9) : null,
      round_trip_us: known ? Math.round(this.estimate.round_trip_us) : null,
    };
  }

  /**
   * Takes one exchange of the burst of that name; true if the estimate moved.
   * @param {Probe} probe
   * @param {string} burst
   */
  probed(probe, burst) {
    if (burst !== this.#burst) {
      if (this.#burst !== null) this.#filter.endBurst();
      this.#filter.beginBurst();
      this.#burst = burst;
    }
    return this.#filter.add(probe);
  }

  /** Whether the machine has slept since the last look; then nothing is known of the time but by the wall clock. */
  look() {
    const apartUs = this.#clock.wallUs() - this.#clock.monotonicUs();
    const slept = apartUs - this.#apartUs > SLEPT_US;
    this.#apartUs = apartUs;
    if (slept) {
      this.#burst = null;
      this.#filter = begin(this.#clock, this.estimate.contact_us === null ? null : this.estimate.drift);
    }
    return slept;
  }

  /** What is worth keeping for the next opening; null before the first contact. @returns {KeptClock | null} */
  kept() {
    return this.estimate.contact_us === null ? null : { drift: this.estimate.drift };
  }
}

/** @param {Clock} clock @param {number | null} drift */
const begin = (clock, drift) => new ClockFilter(guess(clock.monotonicUs(), clock.wallUs(), drift !== null), drift);
