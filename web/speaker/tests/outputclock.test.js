/** When a sample is heard. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { BROKEN_US, OutputClock, pairOf } from "../rules/outputclock.js";

/**
 * Pairs twice a second of an output that is `ppm` slow, jittering by `jitterUs`.
 * @param {number} ppm
 * @param {number} jitterUs
 */
const pairs = (ppm, jitterUs) =>
  Array.from({ length: 60 }, (_, n) => ({
    context_s: 1 + n / 2,
    heard_us: 7e6 + n * 5e5 * (1 + ppm * 1e-6) + jitterUs * (((n * 7) % 11) / 5 - 1),
  }));

test("it sees through jitter, and follows the crystal", () => {
  const clock = new OutputClock();
  assert(!clock.known);
  for (const pair of pairs(80, 3000)) assert(!clock.add(pair));
  const heard = 7e6 + 62 * 5e5 * (1 + 80e-6);
  assert(Math.abs(clock.heardUs(32) - heard) < 600, `${clock.heardUs(32) - heard} µs off`);
  assert(Math.abs(clock.contextTime(clock.heardUs(32)) - 32) < 1e-9);
});

test("one pair that was told late does not move it", () => {
  const clock = new OutputClock();
  for (const pair of pairs(80, 50)) clock.add(pair);
  const before = clock.heardUs(32);
  clock.add({ context_s: 31, heard_us: clock.heardUs(31) - 10_000 });
  assert(Math.abs(clock.heardUs(32) - before) < 20, `${clock.heardUs(32) - before} µs off`);
});

test("an output that was stopped is followed at once; what it told already adds nothing", () => {
  const clock = new OutputClock();
  for (const pair of pairs(0, 0)) clock.add(pair);
  assert(!clock.add({ context_s: 30, heard_us: 0 }), "it is the last one again");
  assert(clock.add({ context_s: 31, heard_us: 37e6 + BROKEN_US + 1 }));
  assert.equal(clock.heardUs(31), 37e6 + BROKEN_US + 1);
});

test("a browser that tells no output timestamp is asked for its latency", () => {
  const silent = {
    getOutputTimestamp: () => ({ contextTime: 0, performanceTime: 0 }),
    currentTime: 2,
    baseLatency: 0.01,
  };
  assert.deepEqual(pairOf(silent, 1000), { context_s: 2, heard_us: 1_010_000 });
  assert.deepEqual(pairOf({ ...silent, outputLatency: 0.03 }, 1000), { context_s: 2, heard_us: 1_030_000 });
  const telling = { ...silent, getOutputTimestamp: () => ({ contextTime: 1.9, performanceTime: 990 }) };
  assert.deepEqual(pairOf(telling, 1000), { context_s: 1.9, heard_us: 990_000 });
});
