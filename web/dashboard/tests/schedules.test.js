import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, bodyOf, byDay, clockOfTime, draftOf, fateOf, nextSecond, secondOf, timeOf } from "../schedules/draft.js";

const entry = (/** @type {number} */ announcement, /** @type {string} */ minutes, /** @type {string} */ seconds) => ({
  announcement,
  title: "",
  minutes,
  seconds,
});

test("an interval is sent without a cycle, a cycle without an interval", () => {
  const draft = { ...blank([7]), name: " Offers ", schedule_announcements: [entry(3, "1", "30")] };
  const interval = bodyOf(draft);
  assert.equal(interval.name, "Offers");
  assert.deepEqual(
    [interval.schedule_type, interval.interval_minutes, interval.cycle_duration_minutes],
    ["interval", 30, null],
  );
  assert.deepEqual(interval.schedule_announcements, [{ announcement: 3 }]);
  const cycle = bodyOf({ ...draft, kind: "cycle" });
  assert.deepEqual([cycle.schedule_type, cycle.interval_minutes, cycle.cycle_duration_minutes], ["timeline", null, 60]);
  assert.deepEqual(cycle.schedule_announcements, [{ announcement: 3, timestamp_seconds: 90 }]);
  assert.equal(bodyOf({ ...draft, kind: "day" }).cycle_duration_minutes, 1440);
});

test("an empty number is nothing, not 0, and days off without a day are not sent", () => {
  const draft = {
    ...blank([]),
    interval_minutes: "",
    exceptions: [
      { start: "", end: "", note: "" },
      { start: "2026-12-24", end: "", note: "" },
    ],
  };
  const body = bodyOf(draft);
  assert.equal(body.interval_minutes, null);
  assert.deepEqual(body.exceptions, [{ start: "2026-12-24", end: "2026-12-24", note: "" }]);
  assert.equal(secondOf(entry(1, "", "")), null);
});

test("what was saved comes back as it was typed", () => {
  const row = /** @type {any} */ ({
    name: "Closing",
    schedule_type: "timeline",
    enabled: false,
    interval_minutes: null,
    cycle_duration_minutes: 1440,
    avoid_repeat: false,
    quiet_hours_start: "20:00:00",
    quiet_hours_end: "08:00:00",
    active_days: [1, 2],
    floors: [4],
    devices: [],
    exceptions: [{ start: "2026-12-24", end: "2026-12-24", note: "x" }],
    schedule_announcements: [{ id: 1, announcement: 9, timestamp_seconds: 63_930, title: "Bye" }],
  });
  const draft = draftOf(row);
  assert.equal(draft.kind, "day");
  assert.equal(timeOf(draft.schedule_announcements[0]), "17:45:30");
  const body = bodyOf(draft);
  assert.equal(body.schedule_announcements[0].timestamp_seconds, 63_930);
  assert.deepEqual(
    [body.quiet_hours_start, body.quiet_hours_end, body.enabled, body.exceptions],
    ["20:00", "08:00", false, row.exceptions],
  );
});

test("a time field and the second that is sent are the same", () => {
  for (const time of ["00:00", "09:05", "23:59:59"]) assert.equal(timeOf(clockOfTime(time)), time);
  assert.equal(timeOf(clockOfTime("")), "");
});

test("one more announcement stands after the last, inside the cycle", () => {
  const cycle = { ...blank([]), kind: /** @type {const} */ ("cycle"), cycle_duration_minutes: "20" };
  assert.equal(nextSecond(cycle), 0);
  assert.equal(nextSecond({ ...cycle, schedule_announcements: [entry(1, "5", "0")] }), 600);
  assert.equal(nextSecond({ ...cycle, schedule_announcements: [entry(1, "19", "0")] }), 1199);
  assert.equal(nextSecond({ ...cycle, kind: "day" }), 9 * 3600);
});

test("occurrences stand by the local day", () => {
  const at = (/** @type {string} */ local_time) => /** @type {any} */ ({ local_time });
  const days = byDay([
    at("2026-07-01T23:30:00+02:00"),
    at("2026-07-02T00:00:00+02:00"),
    at("2026-07-02T00:30:00+02:00"),
  ]);
  assert.deepEqual(
    days.map(([day, times]) => [day, times.length]),
    [
      ["2026-07-01", 1],
      ["2026-07-02", 2],
    ],
  );
});

test("an occurrence was heard, left out by its rules, or missed where a speaker says why", () => {
  const play = (/** @type {any} */ status, reason = "") => ({ status, reason, message: reason });
  const became = (/** @type {any[]} */ plays, reason = "") =>
    fateOf(/** @type {any} */ ({ outcome: reason ? "suppressed" : "due", reason, message: reason, plays }));
  const told = (/** @type {ReturnType<typeof fateOf>} */ { fate, reasons }) =>
    [fate, ...reasons.map(({ code, n }) => `${code} ${n}`)].join(", ");
  assert.equal(told(became([], "quiet_hours")), "left_out, quiet_hours 0");
  assert.equal(told(became([play("completed"), play("completed")])), "heard");
  assert.equal(told(became([play("completed"), play("failed", "offline")])), "partly, offline 1");
  const away = [play("failed", "expired"), play("failed", "offline"), play("failed", "offline")];
  assert.equal(told(became(away)), "missed, offline 2, expired 1");
  assert.equal(told(became([play("delivered")])), "open");
});
