/**
 * Offset and drift of the server's clock against this page's monotonic clock.
 *
 * Each probe is the four-timestamp exchange of NTP (RFC 5905 §8): offset = ((t2 − t1) + (t3 − t4)) / 2, round trip
 * = (t4 − t1) − (t3 − t2). Of a burst only the probe with the lowest round trip counts, since queueing can only
 * lengthen it. A two-state Kalman filter (offset in µs, drift in µs/µs) runs over those. The reported error is a bound:
 * the true offset lies within half a round trip of the measured one whatever the asymmetry of the path, and the bound
 * grows with the uncertainty of the drift until the next contact. The same filter as the reference speaker's
 * (`player/src/sync2gear_player/clockfilter.py`); a test runs both over the same probes.
 */

/** @typedef {"unsynced" | "synced" | "holdover" | "untrusted"} ClockState */

/**
 * One exchange, all µs: t1 and t4 of this page's monotonic clock, t2 and t3 of the server's.
 * @typedef {{t1: number, t2: number, t3: number, t4: number}} Probe
 */

/**
 * An immutable belief. `at_us` is the monotonic reading it was made at, `bound_us` bounds its error then,
 * `contact_us` is the reading of the last contact, null before any.
 * @typedef {{at_us: number, offset_us: number, drift: number, var_offset: number, var_cross: number,
 *   var_drift: number, bound_us: number, round_trip_us: number, contact_us: number | null}} Estimate
 */

/** Three missed bursts. */
export const HOLDOVER_AFTER_US = 35_000_000;
/** Beyond the usual expiry of an occurrence (play_at + 2 s) a start can no longer be called on time. */
export const UNTRUSTED_ERROR_US = 2_000_000;
/** A crystal nobody measured yet: 100 ppm. */
export const DRIFT_SIGMA = 100e-6;
/** A crystal measured before the page was last opened: temperature and age move it by a few ppm. */
export const KEPT_DRIFT_SIGMA = 5e-6;
/** Random walk of the drift: about 0.1 ppm in an hour, 0.6 ppm in a day. */
const DRIFT_WALK_PER_SQRT_S = 2e-9;
/** The error's growth allows for a drift this far from the estimated one. */
const DRIFT_SIGMAS = 3;
/** Growth of the error without contact that is claimed at least: 1 ppm. */
const HOLDOVER_FLOOR = 1e-6;
/** What scheduling adds to the best of probes. */
const OFFSET_NOISE_US = 30;
/** So many probes tell how steady a path is. */
const FEW_PROBES = 8;
/** So many bursts in a row must contradict the estimate before it is thrown away. */
const STEP_BURSTS = 2;
/** So many round trips are remembered. */
const ROUND_TRIPS = 80;

/** Server clock minus monotonic clock, by one probe. @param {Probe} probe */
export const offsetOf = (probe) => (probe.t2 - probe.t1 + (probe.t3 - probe.t4)) / 2;

/** Time on the path, both ways, µs. @param {Probe} probe */
export const roundTripOf = (probe) => Math.max(0, probe.t4 - probe.t1 - (probe.t3 - probe.t2));

/**
 * How far the true offset can be from `offsetOf`: half the round trip, and the stamps' whole µs.
 * @param {Probe} probe
 */
const boundOf = (probe) => roundTripOf(probe) / 2 + 1;

/**
 * A belief by the wall clock alone: good enough for music, never for a schedule. `rebooted` means that the server was
 * heard before this page was opened: state `untrusted`, else `unsynced`.
 * @param {number} monotonicUs
 * @param {number} wallUs
 * @param {boolean} rebooted
 * @returns {Estimate}
 */
export function guess(monotonicUs, wallUs, rebooted) {
  return {
    at_us: monotonicUs,
    offset_us: wallUs - monotonicUs,
    drift: 0,
    var_offset: rebooted ? Infinity : 0,
    var_cross: 0,
    var_drift: DRIFT_SIGMA ** 2,
    bound_us: 0,
    round_trip_us: 0,
    contact_us: null,
  };
}

/** µs UTC of the server's clock at a monotonic reading. @param {Estimate} estimate @param {number} monotonicUs */
export const serverUs = (estimate, monotonicUs) =>
  monotonicUs + estimate.offset_us + estimate.drift * (monotonicUs - estimate.at_us);

/** The inverse of `serverUs`. @param {Estimate} estimate @param {number} us */
export const monotonicUs = (estimate, us) =>
  estimate.at_us + (us - estimate.at_us - estimate.offset_us) / (1 + estimate.drift);

/** Bound of the distance from the server's clock, µs. @param {Estimate} estimate @param {number} at */
export const errorUs = (estimate, at) => Math.round(predict(estimate, at).bound_us);

/**
 * What may be trusted to this clock at a monotonic reading.
 * @param {Estimate} estimate
 * @param {number} at
 * @returns {ClockState}
 */
export function stateOf(estimate, at) {
  if (estimate.contact_us === null) return estimate.var_offset === Infinity ? "untrusted" : "unsynced";
  if (errorUs(estimate, at) > UNTRUSTED_ERROR_US) return "untrusted";
  return at - estimate.contact_us > HOLDOVER_AFTER_US ? "holdover" : "synced";
}

/** Whether scheduled announcements may be played by this clock. @param {Estimate} estimate @param {number} at */
export const trusted = (estimate, at) => ["synced", "holdover"].includes(stateOf(estimate, at));

/**
 * The belief carried forward to a later monotonic reading (Kalman prediction).
 * @param {Estimate} estimate
 * @param {number} at
 * @returns {Estimate}
 */
export function predict(estimate, at) {
  const dt = at - estimate.at_us;
  if (dt <= 0 || estimate.var_offset === Infinity) return estimate;
  const walk = DRIFT_WALK_PER_SQRT_S ** 2 / 1e6;
  const { var_offset, var_cross, var_drift } = estimate;
  return {
    ...estimate,
    at_us: at,
    offset_us: estimate.offset_us + estimate.drift * dt,
    var_offset: var_offset + 2 * dt * var_cross + dt * dt * var_drift + (walk * dt ** 3) / 3,
    var_cross: var_cross + dt * var_drift + (walk * dt * dt) / 2,
    var_drift: var_drift + walk * dt,
    bound_us: estimate.bound_us + dt * (HOLDOVER_FLOOR + DRIFT_SIGMAS * Math.sqrt(var_drift + walk * dt)),
  };
}

/**
 * Standard deviation of a burst's best probe, by the round trips seen lately on this path. Its excess over the lowest
 * one is queueing that may lie wholly on one way; the lowest one itself is known only as well as they are steady.
 * @param {Probe} probe
 * @param {readonly number[]} roundTrips
 */
function noiseUs(probe, roundTrips) {
  const lowest = Math.min(...roundTrips);
  let excess = median(roundTrips) - lowest;
  if (roundTrips.length < FEW_PROBES) excess = Math.max(excess, roundTripOf(probe));
  return OFFSET_NOISE_US + (roundTripOf(probe) - lowest) / 2 + excess / 8;
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * The belief after a measurement of standard deviation `sigma` µs (Kalman update).
 * @param {Estimate} estimate
 * @param {Probe} probe
 * @param {number} sigma
 * @returns {Estimate}
 */
function correct(estimate, probe, sigma) {
  const moved = predict(estimate, probe.t4);
  const innovation = offsetOf(probe) - moved.offset_us;
  const total = moved.var_offset + sigma * sigma;
  const gainOffset = moved.var_offset / total;
  const gainDrift = moved.var_cross / total;
  const step = gainOffset * innovation;
  return {
    at_us: moved.at_us,
    offset_us: moved.offset_us + step,
    drift: moved.drift + gainDrift * innovation,
    var_offset: (1 - gainOffset) * moved.var_offset,
    var_cross: (1 - gainOffset) * moved.var_cross,
    var_drift: moved.var_drift - gainDrift * moved.var_cross,
    bound_us: Math.min(moved.bound_us + Math.abs(step), boundOf(probe) + Math.abs(innovation - step)),
    round_trip_us: roundTripOf(probe),
    contact_us: probe.t4,
  };
}

/** Takes probes burst by burst and holds the current `estimate`. */
export class ClockFilter {
  /** @type {Probe | null} */
  #best = null;
  /** @type {Estimate} */
  #before;
  /** @type {number[]} */
  #roundTrips = [];
  #contradictions = 0;
  /** @type {number | null} */
  #keptDrift;

  /**
   * @param {Estimate} start a guess
   * @param {number | null} [drift] one measured before this page was opened
   */
  constructor(start, drift = null) {
    /** @type {Estimate} */
    this.estimate = start;
    this.#before = start;
    this.#keptDrift = drift;
  }

  /** The probes that follow belong together. */
  beginBurst() {
    this.#best = null;
    this.#before = this.estimate;
  }

  /**
   * Takes one probe; true if it moved the estimate (it is the best of its burst so far).
   * @param {Probe} probe
   */
  add(probe) {
    this.#roundTrips.push(roundTripOf(probe));
    if (this.#roundTrips.length > ROUND_TRIPS) this.#roundTrips.shift();
    if (this.#best !== null && roundTripOf(probe) >= roundTripOf(this.#best)) return false;
    this.#best = probe;
    this.estimate = this.#updated(probe);
    return true;
  }

  /** Closes the burst; the clock of a server that was stepped is taken anew after two of them. */
  endBurst() {
    const probe = this.#best;
    const before = this.#before;
    this.#best = null;
    if (probe === null || before.contact_us === null) return;
    const moved = predict(before, probe.t4);
    const bound = 2_000 + (roundTripOf(probe) + before.round_trip_us) / 2 + 5 * Math.sqrt(moved.var_offset);
    if (Math.abs(offsetOf(probe) - moved.offset_us) <= bound) {
      this.#contradictions = 0;
      return;
    }
    this.#contradictions += 1;
    if (this.#contradictions >= STEP_BURSTS) {
      this.#contradictions = 0;
      this.estimate = this.#fresh(probe, before.drift, KEPT_DRIFT_SIGMA);
    } else {
      this.estimate = before;
    }
  }

  /** @param {Probe} probe */
  #updated(probe) {
    if (this.#before.contact_us !== null) return correct(this.#before, probe, noiseUs(probe, this.#roundTrips));
    if (this.#keptDrift !== null) return this.#fresh(probe, this.#keptDrift, KEPT_DRIFT_SIGMA);
    return this.#fresh(probe, 0, DRIFT_SIGMA);
  }

  /**
   * @param {Probe} probe
   * @param {number} drift
   * @param {number} driftSigma
   * @returns {Estimate}
   */
  #fresh(probe, drift, driftSigma) {
    return {
      at_us: probe.t4,
      offset_us: offsetOf(probe),
      drift,
      var_offset: noiseUs(probe, this.#roundTrips) ** 2,
      var_cross: 0,
      var_drift: driftSigma ** 2,
      bound_us: boundOf(probe),
      round_trip_us: roundTripOf(probe),
      contact_us: probe.t4,
    };
  }
}
