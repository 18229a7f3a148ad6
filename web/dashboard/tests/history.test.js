import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS, field, line, shareOf } from "../history/csv.js";
import { askedOf, datesOf, everyDay, reached, success, summed, top, uptimeQuery } from "../history/period.js";
import { honest, stretches } from "../history/strip.js";

test("a period ends today", () => {
  const dates = (/** @type {string} */ query) => datesOf(new URLSearchParams(query), "2026-07-08");
  assert.deepEqual(dates(""), { period: "week", first: "2026-07-02", last: "2026-07-08" });
  assert.deepEqual(dates("period=today"), { period: "today", first: "2026-07-08", last: "2026-07-08" });
  assert.deepEqual(dates("period=always"), { period: "week", first: "2026-07-02", last: "2026-07-08" });
  assert.deepEqual(dates("first=2026-06-01&last=2026-06-03"), {
    period: "own",
    first: "2026-06-01",
    last: "2026-06-03",
  });
  assert.deepEqual(dates("first=2026-06-05&last=2026-06-03").first, "2026-06-03");
  assert.deepEqual(dates("first=2020-01-01&last=2026-06-30").first, "2026-03-31"); // 92 days with both ends
});

test("the question reaches from midnight to midnight, with the filters and nothing else", () => {
  const asked = askedOf(
    new URLSearchParams("reason=offline&period=week&device="),
    { first: "2026-07-01", last: "2026-07-02" },
    "Europe/Berlin",
  );
  assert.deepEqual(Object.fromEntries(asked), {
    from: "2026-06-30T22:00:00.000Z",
    to: "2026-07-02T22:00:00.000Z",
    reason: "offline",
  });
});

const tally = (/** @type {any} */ some) => ({ completed: 0, failed: 0, open: 0, unreached: 0, left_out: 0, ...some });

test("what was left out on purpose is no failure", () => {
  assert.equal(success(tally({ completed: 9, failed: 11, left_out: 10 })), 0.9);
  assert.equal(reached(tally({ completed: 8, failed: 12, left_out: 10, unreached: 1 })), 0.9);
  assert.equal(success(tally({ failed: 3, left_out: 3, open: 2 })), null);
});

test("days without a play are there, and sums are of all", () => {
  const days = everyDay(
    [
      { day: "2026-07-02", ...tally({ completed: 2 }) },
      { day: "2026-07-04", ...tally({ completed: 1, failed: 1 }) },
    ],
    "2026-07-01",
    "2026-07-04",
  );
  assert.deepEqual(
    days.map((each) => [each.day.slice(-2), each.completed]),
    [
      ["01", 0],
      ["02", 2],
      ["03", 0],
      ["04", 1],
    ],
  );
  assert.deepEqual([summed(days).completed, summed(days).failed], [3, 1]);
  assert.deepEqual([1, 3, 9, 47, 801].map(top), [1, 4, 10, 50, 1000]);
});

test("a strip joins what is alike, and shows each part in which a speaker was away", () => {
  const hours = [0, 1, 2, 3, 4, 5].map((hour) => `2026-07-01T0${hour}:00:00Z`);
  const found = stretches(hours.slice(0, 5), hours[5], [0, 3600, 3600, 1800, 3600], [0, 0, 0, 900, 3600]);
  assert.deepEqual(
    found.map(({ kind, x, width, share }) => [kind, x, width, share]),
    [
      ["none", 0, 0.2, 0],
      ["there", 0.2, 0.4, 0],
      ["away", 0.6, 0.2, 0.5],
      ["away", 0.8, 0.2, 1],
    ],
  );
  assert.deepEqual(stretches([], hours[0], [], []), []);
  assert.deepEqual([1, 0.99999, 0.5].map(honest), [1, 0.999, 0.5]);
});

test("up to a week is asked for by the hour, with the filters that choose speakers", () => {
  const asked = (/** @type {string} */ to) => {
    const of = new URLSearchParams({ from: "2026-07-01T00:00:00Z", to, floor: "3", reason: "offline" });
    return Object.fromEntries(uptimeQuery(of));
  };
  assert.deepEqual(asked("2026-07-08T00:00:00Z"), {
    from: "2026-07-01T00:00:00Z",
    to: "2026-07-08T00:00:00Z",
    floor: "3",
    by: "hour",
    page_size: "100",
  });
  assert.equal(asked("2026-07-30T00:00:00Z").by, "day");
});

test("fields are quoted where they must be, and never computed", () => {
  assert.deepEqual(["plain", 'a "b", c', "=1+1", -5, null, "x\ny"].map(field), [
    "plain",
    '"a ""b"", c"',
    "'=1+1",
    "-5",
    "",
    '"x\ny"',
  ]);
  assert.equal(line({ id: "7" }).split(",").length, COLUMNS.length);
});

test("an export's share goes from the newest back to the beginning", () => {
  const [from, to] = ["2026-07-01T00:00:00Z", "2026-07-09T00:00:00Z"];
  assert.equal(shareOf(to, from, to, Date.parse(to)), 0);
  assert.equal(shareOf("2026-07-05T00:00:00Z", from, to, Date.parse(to)), 0.5);
  assert.equal(shareOf(from, from, to, Date.parse(to)), 1);
});
