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
    return this.#line.heard_us + (contextS - this.#line.context_s) * 1e6 * this.#line.rate;
  }

  /** The context time (s) of what is heard at a reading of the monotonic clock. @param {number} monotonicUs */
  contextTime(monotonicUs) {
    return this.#line.context_s + (monotonicUs - this.#line.heard_us) / (1e6 * this.#line.rate);
  }
}

/**
 * The least squares line through pairs: its middle, and µs of the monotonic clock in one µs of the output's.
 * @param {readonly Pair[]} pairs
 */
function fit(pairs) {
  const context_s = mean(pairs.map((each) => each.context_s));
  const heard_us = mean(pairs.map((each) => each.heard_us));
  let along = 0;
  let across = 0;
  for (const each of pairs) {
    along += (each.context_s - context_s) ** 2 * 1e6;
    across += (each.context_s - context_s) * (each.heard_us - heard_us);
  }
  const slope = along > 0 ? across / along : 1;
  return { context_s, heard_us, rate: 1 + Math.min(MOST_OFF, Math.max(-MOST_OFF, slope - 1)) };
}

/** @param {readonly number[]} values */
const mean = (values) => values.reduce((sum, each) => sum + each, 0) / values.length;
