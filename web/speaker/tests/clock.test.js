/** The filter that follows the server's clock: held to what the reference speaker's made of the same probes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  ClockFilter,
  HOLDOVER_AFTER_US,
  UNTRUSTED_ERROR_US,
  errorUs,
  guess,
  monotonicUs,
  serverUs,
  stateOf,
  trusted,
} from "../rules/clockfilter.js";

/** @typedef {import("../rules/clockfilter.js").Probe} Probe */

/**
 * @type {{note: string, kept_drift: number | null, bursts: [number, number, number, number][][],
 *   expect: {server_us: number, error_us: number, drift_ppb: number}[]}[]}
 */
const CASES = JSON.parse(readFileSync(new URL("../../../player/tests/clock_vectors.json", import.meta.url), "utf8"));
const DAY_US = 86_400_000_000;

/** @param {(typeof CASES)[number]} each @param {(filter: ClockFilter, n: number) => void} [looked] */
function run(each, looked = () => undefined) {
  const filter = new ClockFilter(guess(0, 5, false), each.kept_drift);
  each.bursts.forEach((burst, n) => {
    filter.beginBurst();
    for (const [t1, t2, t3, t4] of burst) filter.add({ t1, t2, t3, t4 });
    filter.endBurst();
    looked(filter, n);
  });
  return filter;
}

for (const each of CASES) {
  test(`it believes what the reference speaker believes: ${each.note}`, () => {
    run(each, ({ estimate }, n) => {
      const at = each.bursts[n].at(-1)?.[3] ?? 0;
      const expected = each.expect[n];
      assert(Math.abs(serverUs(estimate, at) - expected.server_us) <= 1, `burst ${n}`);
      assert(Math.abs(errorUs(estimate, at + 10_000_000) - expected.error_us) <= 1, `burst ${n}`);
      assert(Math.abs(estimate.drift * 1e9 - expected.drift_ppb) <= 1, `burst ${n}`);
    });
  });
}

test("there is a case of each kind of path", () => assert(CASES.length >= 4));

test("the lowest round trip of a burst counts", () => {
  const filter = new ClockFilter(guess(0, 5, false));
  filter.beginBurst();
  assert(filter.add({ t1: 0, t2: 50_100, t3: 50_100, t4: 200 }));
  assert(!filter.add({ t1: 1000, t2: 99_000, t3: 99_000, t4: 90_000 }));
  assert(Math.abs(serverUs(filter.estimate, 200) - 50_200) <= 1);
});

test("its states, and how the error grows without contact", () => {
  assert.equal(stateOf(guess(0, 5, false), 0), "unsynced");
  assert.equal(stateOf(guess(0, 5, true), 1e9), "untrusted");
  const { estimate } = run(CASES[0]);
  const contact = estimate.contact_us ?? 0;
  assert.equal(stateOf(estimate, contact), "synced");
  assert.equal(stateOf(estimate, contact + HOLDOVER_AFTER_US + 1), "holdover");
  assert(trusted(estimate, contact + DAY_US), "a day offline keeps the schedule");
  assert(errorUs(estimate, contact) < errorUs(estimate, contact + DAY_US));
  assert(errorUs(estimate, contact + 60 * DAY_US) > UNTRUSTED_ERROR_US);
  assert.equal(stateOf(estimate, contact + 60 * DAY_US), "untrusted");
});

test("both directions of the clock agree", () => {
  const { estimate } = run(CASES[0]);
  const at = estimate.at_us + 123_456_789;
  assert(Math.abs(monotonicUs(estimate, serverUs(estimate, at)) - at) <= 1);
});
