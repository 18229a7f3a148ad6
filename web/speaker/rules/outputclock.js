/**
 * When a sample is heard: the audio output's own clock against this page's monotonic clock.
 *
 * `AudioContext.getOutputTimestamp()` pairs a context time with the `performance.now()` at which that sample leaves the
 * device (Web Audio API §1.2.2). The pairs jitter by a block or a timer's grain, so a line is laid through the last
 * ones and its slope is the audio crystal's rate. Where a browser answers with zeros, `currentTime` is paired with now plus
 * `outputLatency`, or `baseLatency` where that is unknown too.
 */

/** `context_s` is heard at `heard_us` of the monotonic clock. @typedef {{context_s: number, heard_us: number}} Pair */

/** So many pairs make the line. */
const PAIRS = 40;
/** A pair this far from the line says that the output was stopped or changed: the line begins anew. */
export const BROKEN_US = 30_000;
/** Pairs this many times further off than the median one are left out, but none that is nearer than `LEAST_TRIM_US`. */
const TRIM = 4;
const LEAST_TRIM_US = 300;
/** No crystal is further off than this; a steeper line is only jitter over a short time. */
const MOST_OFF = 500e-6;

/**
 * One pair, as the browser tells it now.
 * @param {{getOutputTimestamp?: () => AudioTimestamp, currentTime: number, outputLatency?: number,
 *   baseLatency: number}} context
 * @param {number} nowMs `performance.now()`
 * @returns {Pair}
 */
export function pairOf(context, nowMs) {
  const { contextTime, performanceTime } = context.getOutputTimestamp?.() ?? {};
  if (contextTime && performanceTime) return { context_s: contextTime, heard_us: performanceTime * 1000 };
  const latency = context.outputLatency || context.baseLatency;
  return { context_s: context.currentTime, heard_us: nowMs * 1000 + latency * 1e6 };
}

/** Tell it pairs; ask it at which context time something must be scheduled to be heard when it is due. */
export class OutputClock {
  /** @type {Pair[]} */
  #pairs = [];
  #line = { context_s: 0, heard_us: 0, rate: 1 };

  /** Takes a pair; true if the line had to begin anew. @param {Pair} pair */
  add(pair) {
    const last = this.#pairs.at(-1);
    if (last !== undefined && pair.context_s <= last.context_s) return false;
    const broken = last !== undefined && Math.abs(this.heardUs(pair.context_s) - pair.heard_us) > BROKEN_US;
    this.#pairs = broken ? [pair] : [...this.#pairs, pair].slice(-PAIRS);
    this.#line = fit(this.#pairs);
    return broken;
  }

  /** Whether anything is known yet. */
  get known() {
    return this.#pairs.length > 0;
  }

  /** When the sample of a context time is heard, µs of the monotonic clock. @param {number} contextS */
  heardUs(contextS) {
    return heardBy(this.#line, contextS);
  }

  /** The context time (s) of what is heard at a reading of the monotonic clock. @param {number} monotonicUs */
  contextTime(monotonicUs) {
    return this.#line.context_s + (monotonicUs - this.#line.heard_us) / (1e6 * this.#line.rate);
  }
}

/**
 * The line through pairs, without those that lie far from it: a block that was told late must not move it.
 * @param {readonly Pair[]} pairs
 */
function fit(pairs) {
  const rough = line(pairs, median);
  const off = pairs.map((each) => Math.abs(heardBy(rough, each.context_s) - each.heard_us));
  const most = Math.max(LEAST_TRIM_US, TRIM * median(off));
  return line(
    pairs.filter((_, n) => off[n] <= most),
    mean,
  );
}

/**
 * A line: a point of it, and µs of the monotonic clock in one µs of the output's. Its slope is that of least squares
 * through pairs whose middle is `middle`.
 * @param {readonly Pair[]} pairs
 * @param {(values: readonly number[]) => number} middle
 */
function line(pairs, middle) {
  const mid_s = mean(pairs.map((each) => each.context_s));
  const nominal_us = pairs.map((each) => each.heard_us - (each.context_s - mid_s) * 1e6);
  const level_us = middle(nominal_us);
  let along = 0;
  let across = 0;
  pairs.forEach((each, n) => {
    along += (each.context_s - mid_s) ** 2 * 1e6;
    across += (each.context_s - mid_s) * (nominal_us[n] - level_us);
  });
  const off = along > 0 ? across / along : 0;
  return { context_s: mid_s, heard_us: level_us, rate: 1 + Math.min(MOST_OFF, Math.max(-MOST_OFF, off)) };
}

/**
 * @param {{context_s: number, heard_us: number, rate: number}} line
 * @param {number} contextS
 */
const heardBy = (line, contextS) => line.heard_us + (contextS - line.context_s) * 1e6 * line.rate;

/** @param {readonly number[]} values */
const mean = (values) => values.reduce((sum, each) => sum + each, 0) / values.length;

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
