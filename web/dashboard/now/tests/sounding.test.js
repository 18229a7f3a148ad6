import assert from "node:assert/strict";
import { test } from "node:test";

import { coming, playsOf, silenceAt, sounding, tally } from "../sounding.js";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const at = (/** @type {number} */ seconds) => new Date(NOON + seconds * 1000).toISOString();

/** @param {object} [some] @returns {any} */
const timeline = (some) => ({ floor: 1, timezone: "UTC", from: at(0), to: at(86_400), segments: [], announcements: [], silences: [], ...some });
/** @param {any} [playing] @param {number} [leftS] @returns {any} */
const speaker = (playing, leftS = 40) => ({ id: 1, floor: 1, online_until: (NOON + leftS * 1000) * 1000, reported: playing && { now_playing: playing } });

const segments = [
  { id: "a", kind: "music", starts_at: at(-100), ends_at: at(100), title: "First", artist: "One" },
  { id: "b", kind: "music", starts_at: at(100), ends_at: at(200), title: "Second", artist: "Two" },
];

test("speakers are counted by how long ago they were heard of", () => {
  assert.deepEqual(tally([speaker(null, 40), speaker(null, 5), speaker(null, -1)], NOON), { online: 1, late: 1, offline: 1 });
});

test("a floor sounds what its speakers say, else what keeps it from sounding", () => {
  const music = { kind: "music", id: "b" };
  const silences = [{ reason: "quiet_hours", starts_at: at(-60), ends_at: at(60) }];
  const announcements = [{ outcome: "sounding", title: "Offer", starts_at: at(-1), ends_at: at(3) }];
  for (const [given, states, kind, title] of /** @type {any[]} */ ([
    [timeline(), [], "no_speakers"],
    [timeline({ segments }), [speaker(music, -1)], "offline"],
    [timeline({ segments }), [speaker(music, -1), speaker(music)], "music", "Second"],
    [timeline({ segments }), [speaker({ kind: "music", id: "gone" })], "music", "First"],
    [timeline({ segments }), [speaker({ kind: "nothing", id: "" })], "idle"],
    [timeline({ segments }), [speaker()], "idle"],
    [timeline({ segments, silences }), [speaker(music)], "silent"],
    [timeline({ segments, silences, announcements }), [speaker({ kind: "announcement", id: "x" })], "announcement", "Offer"],
  ])) {
    const found = sounding(given, states, NOON);
    assert.equal(found.kind, kind);
    assert.equal("title" in found ? found.title : undefined, title);
  }
});

test("how far a sound has come follows the timeline", () => {
  const found = sounding(timeline({ segments }), [speaker({ kind: "music", id: "a" })], NOON);
  assert.equal("share" in found && found.share, 0.5);
});

test("a person's silence goes before quiet hours, and one without a known end has none", () => {
  const quiet = { reason: "quiet_hours", starts_at: at(-60), ends_at: at(60) };
  const stopped = { reason: "stopped", starts_at: at(-5), ends_at: at(86_400) };
  assert.deepEqual(silenceAt(timeline({ silences: [quiet, stopped] }), NOON), { reason: "stopped", until: null });
  assert.deepEqual(silenceAt(timeline({ silences: [quiet] }), NOON), { reason: "quiet_hours", until: NOON + 60_000 });
  assert.equal(silenceAt(timeline({ silences: [quiet] }), NOON + 60_000), null);
});

test("what comes next is in order, once for all its floors, without what will not be heard", () => {
  const due = (/** @type {string} */ id, /** @type {number} */ when, outcome = "plays") => ({ play_id: id, at: at(when), starts_at: at(when), title: id, schedule_name: "S", outcome });
  const one = timeline({ announcements: [due("late", 300), due("both", 60), due("no", 30, "suppressed"), due("past", -5)] });
  const other = timeline({ floor: 2, announcements: [due("both", 60)] });
  assert.deepEqual(coming([one, other], NOON).map(({ title, floors }) => [title, floors]), [["both", [1, 2]], ["late", [1]]]);
});

test("events of one play are one line, with what became of it", () => {
  const event = (/** @type {string} */ play, /** @type {string} */ status, floor = "Bar", why = "") => ({ play_id: play, play_at: at(0), started_at: null, announcement_title: play, floor_name: floor, status, error_message: why, priority: "instant", created_by_name: null });
  const plays = playsOf(/** @type {any} */ ([event("p", "completed"), event("p", "failed", "Gallery", "It was offline."), event("q", "playing")]), NOON);
  assert.deepEqual(plays.map(({ id, floors, speakers, done, failed, why }) => ({ id, floors, speakers, done, failed, why })), [
    { id: "p", floors: ["Bar", "Gallery"], speakers: 2, done: 1, failed: 1, why: "It was offline." },
    { id: "q", floors: ["Bar"], speakers: 1, done: 0, failed: 0, why: "" },
  ]);
});

test("what a rule has planned is no play yet, what a person has ordered is", () => {
  const event = (/** @type {string} */ play, /** @type {string | null} */ by, /** @type {number} */ when) => ({ play_id: play, play_at: at(when), started_at: null, announcement_title: play, status: "pending", created_by_name: by });
  const plays = playsOf(/** @type {any} */ ([event("planned", null, 1), event("due", null, 0), event("ordered", "Olive", 3)]), NOON);
  assert.deepEqual(plays.map(({ id }) => id), ["due", "ordered"]);
});
