import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ZOOMS,
  counted,
  dateOf,
  marks,
  midnight,
  nearest,
  placed,
  plusDays,
  runs,
  span,
  stretchOf,
} from "../timeline/day.js";

const HOUR = 3_600_000;

test("a day begins at its own midnight, and has 23, 24 or 25 hours", () => {
  const cases = /** @type {[string, string, string, number][]} */ ([
    ["2026-07-01", "UTC", "2026-07-01T00:00:00Z", 24],
    ["2026-07-01", "Europe/Berlin", "2026-06-30T22:00:00Z", 24],
    ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z", 23],
    ["2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z", 25],
    ["2026-07-01", "Asia/Kathmandu", "2026-06-30T18:15:00Z", 24],
    ["2026-09-06", "America/Santiago", "2026-09-06T04:00:00Z", 23], // clocks leave midnight out
    ["2026-07-01", "Pacific/Kiritimati", "2026-06-30T10:00:00Z", 24],
  ]);
  for (const [date, zone, start, hours] of cases) {
    assert.equal(new Date(midnight(date, zone)).toISOString(), start.replace("Z", ".000Z"), zone);
    const day = span(date, zone);
    assert.equal((day.end - day.start) / HOUR, hours, zone);
    assert.equal(dateOf(day.start, zone), date);
    assert.equal(dateOf(day.end - 1, zone), date);
  }
});

test("days follow each other", () => {
  assert.equal(plusDays("2026-02-28", 1), "2026-03-01");
  assert.equal(plusDays("2026-01-01", -1), "2025-12-31");
});

const day = { start: Date.parse("2026-07-01T00:00:00Z"), end: Date.parse("2026-07-02T00:00:00Z") };

test("a stretch stands where it is, cut by the day, and can be seen", () => {
  assert.deepEqual(placed(day, 0, day.start + HOUR, day.start + 2 * HOUR), { left: ZOOMS[0], width: ZOOMS[0] });
  assert.deepEqual(placed(day, 0, day.start - HOUR, day.start + HOUR), { left: 0, width: ZOOMS[0] });
  assert.equal(placed(day, 0, day.start, day.start + 1000, 4).width, 4);
  assert.equal(marks(day, 0).length, 12);
});

const item = (/** @type {string} */ at, /** @type {any} */ more = {}) =>
  /** @type {any} */ ({ at, starts_at: null, ends_at: null, duration_ms: 5000, outcome: "plays", ...more });

test("what waited stands where it sounded, what did not where it was due", () => {
  const late = item("2026-07-01T12:00:00Z", { starts_at: "2026-07-01T12:00:10Z", ends_at: "2026-07-01T12:00:15Z" });
  assert.deepEqual(stretchOf(late), {
    from: Date.parse("2026-07-01T12:00:10Z"),
    to: Date.parse("2026-07-01T12:00:15Z"),
  });
  assert.equal(stretchOf(item("2026-07-01T12:00:00Z")).to, Date.parse("2026-07-01T12:00:05Z"));
});

test("the nearest is chosen, and nothing from afar", () => {
  const [one, other] = [item("2026-07-01T12:00:00Z"), item("2026-07-01T12:01:00Z")];
  const at = (/** @type {string} */ time) => Date.parse(`2026-07-01T${time}Z`);
  assert.equal(nearest([one, other], at("12:00:20"), 30_000), one);
  assert.equal(nearest([one, other], at("12:00:50"), 30_000), other);
  assert.equal(nearest([one, other], at("12:01:02"), 1), other);
  assert.equal(nearest([one, other], at("13:00:00"), 30_000), null);
});

test("numbers of each fate", () => {
  assert.deepEqual(
    counted([
      item("2026-07-01T12:00:00Z"),
      item("2026-07-01T12:00:00Z", { outcome: "dropped" }),
      item("2026-07-01T12:00:00Z", { outcome: "suppressed" }),
    ]),
    { coming: 1, left_out: 2 },
  );
});

test("narrow tracks that follow each other are one stretch, silence parts them", () => {
  const track = (/** @type {string} */ from, /** @type {string} */ to) => ({
    starts_at: `2026-07-01T${from}Z`,
    ends_at: `2026-07-01T${to}Z`,
    title: from,
    artist: "",
  });
  const music = [track("12:00:00", "12:03:00"), track("12:02:58", "12:06:00"), track("13:00:00", "13:03:00")];
  assert.deepEqual(
    runs(music, 600_000).map((run) => run.tracks),
    [2, 1],
  );
  assert.equal(runs(music, 1000).length, 3);
});
