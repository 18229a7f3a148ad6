import assert from "node:assert/strict";
import { test } from "node:test";
import { instantOf, wallOf, zones } from "../zones.js";

test("when a clock shows what it shows, also where clocks change", () => {
  const cases = /** @type {[string, string, string][]} */ ([
    ["2026-07-01T09:30", "Europe/Berlin", "2026-07-01T07:30:00.000Z"],
    ["2026-07-01T09:30", "America/New_York", "2026-07-01T13:30:00.000Z"],
    ["2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00.000Z"], // left out: an hour later by the clock
    ["2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00.000Z"], // twice: the first
  ]);
  for (const [wall, zone, at] of cases) assert.equal(new Date(instantOf(wall, zone)).toISOString(), at, wall);
});

test("what a clock shows", () => {
  assert.equal(wallOf(Date.parse("2026-07-01T07:30:59Z"), "Europe/Berlin"), "2026-07-01T09:30");
  assert.equal(wallOf(Date.parse("2026-07-01T20:00:00Z"), "Asia/Kathmandu"), "2026-07-02T01:45");
});

test("zones that one can choose", () => {
  assert.ok(zones().includes("Europe/London"));
});
