/** The plan and its music: what is read of it, where each segment is, how loud, and which of it was heard. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { DocumentError } from "../rules/documents.js";
import { BREAK_US, Ears } from "../rules/heard.js";
import { gainOfDb, gainOfVolume, musicGain } from "../rules/levels.js";
import { DAY_US, neededAssets, parse, repeated, silenceAt } from "../rules/plan.js";
import { playsOf } from "../rules/plays.js";
import { cutShort, dueSegments, fadeAt, gateShut, positionUs, steering } from "../rules/programme.js";

/** @typedef {import("../rules/plan.js").Segment} Segment */

const S = 1_000_000;
const PAGE = readFileSync(new URL("../../../docs/device-protocol.md", import.meta.url), "utf8");
const EXAMPLE = JSON.parse((/```json\n(\{\n {2}"version"[\s\S]*?)```/.exec(PAGE) ?? [])[1]);

/**
 * @param {string} id
 * @param {number} start s
 * @param {number} end s
 * @param {Partial<Segment>} [fields]
 * @returns {any}
 */
const segment = (id, start, end, fields = {}) => ({
  id,
  kind: "music",
  sha256: id,
  start_at: start * S,
  end_at: end * S,
  music_id: 1,
  ...fields,
});

/** @param {any[]} programme @param {Record<string, unknown>} [fields] */
const planOf = (programme, fields = {}) =>
  parse({ ...EXAMPLE, valid_from: 0, valid_until: DAY_US, silences: [], occurrences: [], programme, ...fields });

test("the plan on the protocol's page is read, and its plays", () => {
  const plan = parse(EXAMPLE);
  assert.equal(plan.programme[0].music_id, 31);
  const [play, ...others] = playsOf(plan);
  assert.equal(others.length, 0);
  assert.deepEqual([play.duration_ms, play.gain_db, play.late, play.pushed], [5120, -1.5, "skip", false]);
});

for (const [note, change] of /** @type {[string, object][]} */ ([
  ["of another version", { version: 2 }],
  ["without its end", { valid_until: undefined }],
  ["with a silence of an unknown kind", { silences: [{ start_at: 0, end_at: 1, reason: "lunch" }] }],
])) {
  test(`a plan ${note} is refused`, () => assert.throws(() => parse({ ...EXAMPLE, ...change }), DocumentError));
}

test("an announcement of the programme is a play that is joined; what names no asset is none", () => {
  const sha256 = EXAMPLE.assets[0].sha256;
  const spoken = segment("said", 10, 15, { kind: "announcement", sha256, announcement_id: 7, event_id: "e" });
  const plays = playsOf(planOf([spoken, { ...spoken, id: "lost", sha256: "?", event_id: "f" }]));
  assert.deepEqual(
    plays.map((each) => [each.event_id, each.priority, each.late, each.expires_at]),
    [["e", "playlist", "join", 70 * S]],
  );
});

test("silences are half-open, and the weightiest reason counts", () => {
  const silences = [
    { start_at: 0, end_at: 9, reason: "quiet_hours" },
    { start_at: 5, end_at: 7, reason: "client_locked" },
    { start_at: 4, end_at: 8, reason: "stopped" },
  ];
  const plan = planOf([], { silences });
  const reasons = [0, 4, 5, 7, 8, 9].map((at) => silenceAt(plan, at));
  assert.deepEqual(reasons, ["quiet_hours", "stopped", "client_locked", "stopped", "quiet_hours", null]);
});

test("what is needed soonest is fetched first, each once, and nothing that is over", () => {
  const plan = planOf([
    segment("c", 9, 12),
    segment("over", 0, 2),
    segment("a", 1, 5),
    segment("b", 5, 9),
    segment("a", 20, 24),
  ]);
  assert.deepEqual(neededAssets(plan, 3 * S), ["a", "b", "c"]);
});

test("without a newer plan the programme goes round by whole days, and no announcement is said again", () => {
  const spoken = segment("said", 20, 22, { kind: "announcement", announcement_id: 7, event_id: "e" });
  const plan = planOf([segment("a", 10, 20), spoken], { silences: [{ start_at: 5, end_at: 6, reason: "stopped" }] });
  assert.equal(repeated(plan, DAY_US - 1), plan);
  const later = repeated(plan, 3 * DAY_US + 1);
  assert.deepEqual(
    later.programme.map((each) => [each.id, each.start_at]),
    [["a+3", 3 * DAY_US + 10 * S]],
  );
  assert.equal(later.silences[0].start_at, 3 * DAY_US + 5);
  assert.equal(later.silences[0].reason, "stopped");
  const short = planOf([segment("a", 0, 10)], { valid_until: 60 * S });
  assert.equal(repeated(short, 61 * S).programme[0].start_at, 60 * S);
});

test("due are the segments that sound now or within half a minute", () => {
  const plan = planOf([segment("next", 30, 60), segment("now", 0, 32), segment("later", 60, 90)]);
  assert.deepEqual(
    dueSegments(plan, 10 * S).map(({ id }) => id),
    ["now", "next"],
  );
  assert.deepEqual(
    dueSegments(plan, 32 * S).map(({ id }) => id),
    ["next", "later"],
  );
});

test("a segment is where the server's time asks, from its offset on", () => {
  const [each] = planOf([segment("a", 100, 200, { offset_ms: 5000 })]).programme;
  assert.equal(positionUs(each, 130 * S), 35 * S);
  assert(cutShort(each, 180_000));
  assert(!cutShort(each, 105_020));
});

test("a crossfade keeps its power", () => {
  const [out, come] = planOf([
    segment("a", 0, 10, { fade_out_ms: 2000 }),
    segment("b", 8, 20, { fade_in_ms: 2000 }),
  ]).programme;
  const how = { enteredAt: null, cutShort: false };
  for (const at of [8, 8.5, 9, 9.9].map((each) => each * S)) {
    assert(Math.abs(fadeAt(out, at, how) ** 2 + fadeAt(come, at, how) ** 2 - 1) < 1e-9);
  }
  assert.deepEqual(
    [-1, 10 * S].map((at) => fadeAt(out, at, how)),
    [0, 0],
  );
});

test("a late entry and a cut are faded against a click", () => {
  const [each] = planOf([segment("a", 0, 10)]).programme;
  assert.equal(fadeAt(each, 5 * S + 25_000, { enteredAt: 5 * S, cutShort: false }), 0.5);
  assert.equal(fadeAt(each, 10 * S - 5_000, { enteredAt: null, cutShort: true }), 0.5);
  assert.equal(fadeAt(each, 5_000, { enteredAt: 500, cutShort: false }), 1, "half a millisecond is in time");
});

test("the gate shuts a second before a silence, and for a lock or a stop", () => {
  const plan = planOf([], { silences: [{ start_at: 10 * S, end_at: 20 * S, reason: "quiet_hours" }] });
  const open = { musicOff: false, silenced: false };
  assert.deepEqual(
    [8.9, 9, 15, 20].map((at) => gateShut(plan, at * S, open)),
    [false, true, true, false],
  );
  assert(gateShut(plan, 0, { ...open, musicOff: true }));
  assert(gateShut(plan, 0, { ...open, silenced: true }));
});

test("a source is bent back to the timeline, and begun anew when it is far off", () => {
  assert.equal(steering(0), 1);
  assert(Math.abs((steering(5_000) ?? 0) - 0.999) < 1e-12, "ahead: slower");
  assert.equal(steering(-40_000), 1.002, "behind: faster, but not audibly");
  assert.equal(steering(50_000), null);
  assert.equal(steering(-50_000), null);
});

test("levels", () => {
  assert.equal(gainOfDb(-120), 0);
  assert.equal(gainOfDb(0), 1);
  assert.deepEqual([0, 50, 100, 120].map(gainOfVolume), [0, 0.25, 1, 1]);
});

test("the music is down when the words begin, and back a second and a half after them", () => {
  const duck = { start_at: 10 * S, end_at: 15 * S, depth_db: -20 };
  const gains = [9.5, 9.75, 10, 14, 15.75, 16.5].map((at) => Number(musicGain([duck], at * S).toFixed(6)));
  assert.deepEqual(gains, [1, 0.55, 0.1, 0.1, 0.55, 1]);
  assert.equal(musicGain([duck, { ...duck, depth_db: -120 }], 12 * S), 0, "the deepest counts");
  assert.equal(musicGain([], 0), 1);
});

/** @type {[string, [string, number, number][], [string, number, number, number][]][]} */
const STRETCHES = [
  ["nothing", [], []],
  ["one", [["a", 1, 3]], [["a", 1, 3, 2000]]],
  [
    "a crossfade",
    [
      ["a", 1, 4],
      ["b", 3, 6],
    ],
    [
      ["a", 1, 4, 3000],
      ["b", 3, 6, 3000],
    ],
  ],
  [
    "a short gap",
    [
      ["a", 1, 2],
      ["a", 2.9, 4],
    ],
    [["a", 1, 4, 2100]],
  ],
  [
    "a break",
    [
      ["a", 1, 2],
      ["a", 3.1, 4],
    ],
    [
      ["a", 1, 2, 1000],
      ["a", 3.1, 4, 900],
    ],
  ],
];
for (const [note, sounding, expected] of STRETCHES) {
  test(`music that was heard: ${note}`, () => {
    let ids = 0;
    const ears = new Ears(() => String((ids += 1)));
    const told = [];
    for (let at = 0; at < 9 * S; at += 100_000) {
      const now = sounding.filter(([, begin, end]) => begin * S <= at && at < end * S);
      told.push(...ears.look(planOf(now.map(([id]) => segment(id, 0, 1))).programme, at, at + 100_000));
    }
    told.push(...ears.stop());
    assert.deepEqual(
      told.map((each) => [each.segment_id, each.began_us / S, each.ended_us / S, each.played_ms]),
      expected,
    );
    assert.equal(ids, expected.length);
  });
}

test("what lasts is told every minute under one name; what names no track is not told", () => {
  const ears = new Ears(() => "one");
  const { programme } = planOf([segment("a", 0, 1), segment("b", 0, 1, { music_id: null })]);
  const told = [];
  for (let second = 0; second < 200; second += 1) told.push(...ears.look(programme, second * S, (second + 1) * S));
  told.push(...ears.look([], 200 * S, 200 * S + BREAK_US));
  assert.deepEqual(
    told.map((each) => [each.ended_us / S, each.over]),
    [
      [60, false],
      [120, false],
      [180, false],
      [200, true],
    ],
  );
});
