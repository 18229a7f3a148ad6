/** The server's time over sleep and reopening. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SLEPT_US, Timekeeper } from "../rules/timekeeping.js";

const S = 1_000_000;

/** A page's clocks, moved by hand. */
class Clocks {
  wall = 1_790_000_000 * S;
  monotonic = 5 * S;
  wallUs = () => this.wall;
  monotonicUs = () => this.monotonic;

  /** @param {number} us @param {{asleep?: boolean}} [how] */
  pass(us, { asleep = false } = {}) {
    this.wall += us;
    if (!asleep) this.monotonic += us;
  }
}

/** @param {Timekeeper} time @param {Clocks} clocks @param {string} burst */
function probe(time, clocks, burst) {
  const t1 = clocks.monotonic;
  clocks.pass(200);
  return time.probed({ t1, t2: clocks.wall + 7 * S, t3: clocks.wall + 7 * S, t4: clocks.monotonic }, burst);
}

test("a first opening knows the time by the wall clock alone, and says so", () => {
  const clocks = new Clocks();
  const time = new Timekeeper(clocks, null);
  assert.equal(time.now(), clocks.wall);
  assert.deepEqual(time.report(), { state: "unsynced", error_us: null, drift_ppb: null, round_trip_us: null });
  assert.equal(time.kept(), null);
  assert(!time.trusted);
});

test("one exchange makes it trusted, and a stepped wall clock moves nothing", () => {
  const clocks = new Clocks();
  const time = new Timekeeper(clocks, null);
  assert(probe(time, clocks, "1"));
  assert(time.trusted);
  assert(Math.abs(time.now() - (clocks.wall + 7 * S)) <= 200);
  const before = time.now();
  clocks.wall -= 3600 * S;
  assert.equal(time.now(), before);
  assert(!time.look(), "a step back is no sleep");
  assert(time.trusted);
  assert(Math.abs(time.monotonicAt(time.now()) - clocks.monotonic) <= 1);
});

test("after a reopening without the server it plays no schedules", () => {
  const time = new Timekeeper(new Clocks(), { drift: 2e-5 });
  assert.equal(time.report().state, "untrusted");
});

test("a machine that slept knows nothing until the server is heard again", () => {
  const clocks = new Clocks();
  const time = new Timekeeper(clocks, null);
  probe(time, clocks, "1");
  clocks.pass(3600 * S);
  assert(!time.look(), "an hour awake is no sleep");
  clocks.pass(SLEPT_US + 1, { asleep: true });
  assert(time.look());
  assert.equal(time.report().state, "untrusted");
  assert(!time.look(), "told once");
  probe(time, clocks, "2");
  assert.equal(time.report().state, "synced");
  assert(Math.abs(time.now() - (clocks.wall + 7 * S)) <= 200);
});
