import assert from "node:assert/strict";
import { test } from "node:test";

import { clockFinding, codeShown, findings } from "../health.js";

const NOW = Date.parse("2026-11-23T12:00:00Z");
/** @param {object} [some] @returns {any} */
const state = (some) => ({ online_until: (NOW + 40_000) * 1000, in_sync: true, clock_state: "synced", clock_error_us: 300, reported: {}, ...some });

test("a clock's error is told by what would be heard of it", () => {
  for (const [clock, error, code, kind] of /** @type {any[]} */ ([
    ["synced", 310, "together", "good"],
    ["synced", 5_000, "together", "good"],
    ["synced", 12_000, "nearly", "warn"],
    ["synced", 90_000, "apart", "warn"],
    ["synced", null, "no_clock", "plain"],
    ["holdover", 100, "holdover", "warn"],
    ["untrusted", null, "untrusted", "bad"],
    ["", null, "no_clock", "plain"],
  ])) {
    const found = clockFinding({ clock_state: clock, clock_error_us: error });
    assert.deepEqual([found.code, found.kind], [code, kind]);
  }
  assert.deepEqual(clockFinding({ clock_state: "synced", clock_error_us: 1_260 }).values, { ms: 1.3 });
});

test("of an offline speaker nothing else is told", () => {
  assert.deepEqual(findings(state({ online_until: (NOW - 1) * 1000, reported: { underruns: 3 } }), NOW), [{ code: "offline", kind: "bad" }]);
  assert.equal(findings(state({ online_until: null }), NOW)[0].code, "never");
});

test("the worst comes first", () => {
  const found = findings(state({ in_sync: false, reported: { receipts_pending: 2, underruns: 1 } }), NOW);
  assert.deepEqual(found.map(({ code }) => code), ["not_applied", "together", "underruns", "receipts"]);
});

test("a code is shown in two groups, however it is typed", () => {
  for (const [typed, shown] of [["bcdf", "BCDF"], ["bcdfg", "BCDF-G"], ["bcdf ghjk", "BCDF-GHJK"], ["BCDF-GHJKLM", "BCDF-GHJK"], ["", ""]]) {
    assert.equal(codeShown(typed), shown);
  }
});
