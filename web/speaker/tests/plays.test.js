/** Which announcement sounds when: the server's own conflict vectors, the late rules, and no overlap whatever comes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ARM_AHEAD_US, LEAD_US, Plays } from "../rules/plays.js";

/** @typedef {import("../rules/plays.js").Play} Play */
/** @typedef {import("../rules/plays.js").Effect} Effect */
/** @typedef {import("../rules/plays.js").Situation} Situation */
/** @typedef {import("../rules/plan.js").Silence} Silence */

const S = 1_000_000;
const VECTORS = new URL("../../../backend/schedules/domain/vectors/engine.json", import.meta.url);
/** @type {any[]} */
const CASES = JSON.parse(readFileSync(VECTORS, "utf8")).cases.filter(
  (/** @type {any} */ each) => each.group === "conflict",
);
/** As in the reference speaker: one that missed an instant joins or skips, nothing starts late from its beginning. */
const EXEMPT = ["conflict-019"];

/** @param {string} [event_id] @param {number} [play_at] @param {Partial<Play>} [fields] @returns {Play} */
function play(event_id = "a", play_at = 100 * S, fields = {}) {
  return {
    event_id,
    announcement_id: 1,
    sha256: "f".repeat(64),
    play_at,
    expires_at: (fields.play_at ?? play_at) + 2 * S,
    duration_ms: 10_000,
    volume: null,
    gain_db: 0,
    priority: "interval",
    duck_db: -15,
    late: "skip",
    overrides_quiet_hours: false,
    pushed: false,
    title: "",
    ...fields,
  };
}

/** Runs `Plays` in virtual time with an output that does what it is told. */
class Shop {
  plays = new Plays();
  /** @type {Map<string, [number, number]>} */
  sounded = new Map();
  /** @type {Map<string, number>} */
  offsets = new Map();
  /** @type {Map<string, string>} */
  outcomes = new Map();
  /** @type {Set<string>} */
  done = new Set();

  /** @param {number} now @param {Partial<Situation>} [situation] */
  constructor(now, situation = {}) {
    this.now = now;
    /** @type {Situation} */
    this.situation = { now, trusted: true, silences: [], silenced: false, missing: new Map(), ...situation };
  }

  /** @param {readonly Effect[]} effects */
  carryOut(effects) {
    for (const effect of effects) {
      switch (effect.do) {
        case "start":
          assert(!this.sounded.has(effect.play.event_id), "played twice");
          assert(effect.at < effect.play.expires_at && effect.at >= this.now);
          this.sounded.set(effect.play.event_id, [
            effect.at,
            effect.at + (effect.play.duration_ms - effect.offset_ms) * 1000,
          ]);
          this.offsets.set(effect.play.event_id, effect.offset_ms);
          break;
        case "fade_out": {
          const span = this.span(effect.event_id);
          span[1] = Math.min(span[1], effect.end_at);
          break;
        }
        case "disarm":
          assert(this.span(effect.event_id)[0] > this.now);
          this.sounded.delete(effect.event_id);
          break;
        case "finish":
          assert(!this.outcomes.has(effect.play.event_id));
          this.outcomes.set(effect.play.event_id, effect.outcome);
      }
    }
  }

  /** @param {string} key @returns {[number, number]} */
  span(key) {
    const span = this.sounded.get(key);
    assert(span, `${key} does not sound`);
    return span;
  }

  tick() {
    for (const [key, [begin, end]] of this.sounded) {
      if (end > this.now || this.done.has(key)) continue;
      this.done.add(key);
      this.outcomes.set(key, this.plays.ended(key, Math.floor(Math.max(0, end - begin) / 1000)).outcome);
    }
    this.carryOut(this.plays.tick({ ...this.situation, now: this.now }));
  }

  /** @param {number} until */
  run(until) {
    for (;;) {
      this.tick();
      const ends = [...this.sounded].filter(([key]) => !this.done.has(key)).map(([, span]) => span[1]);
      const later = Math.max(Math.min(...ends, this.plays.wakeAt(this.now) ?? until), this.now + 1000);
      if (later > until || (ends.length === 0 && this.plays.wakeAt(this.now) === null)) break;
      this.now = later;
    }
    this.now = until;
  }

  /** @param {...Play} plays */
  offer(...plays) {
    return plays.map((each) => this.plays.offer(each, this.now, this.situation.trusted));
  }
}

/** @param {Shop} shop */
const audible = (shop) => [...shop.sounded].filter(([, span]) => span[1] > span[0]);

test("the server has conflict vectors", () => assert(CASES.length >= 20));

for (const each of CASES.filter((one) => !EXEMPT.includes(one.id))) {
  test(`it resolves conflicts as the server plans them: ${each.id} ${each.note}`, () => {
    /** @type {any[]} */
    const claims = each.in.claims;
    const started = claims.filter((claim) => "started_at" in claim).map((claim) => claim.started_at);
    const shop = new Shop((started.length ? Math.min(...started) : each.in.now) - S);
    const waiting = [];
    for (const claim of claims) {
      const begun = "started_at" in claim;
      const wanted = play(claim.event_id, begun ? claim.started_at : claim.at, {
        expires_at: begun ? claim.started_at + 2 * S : claim.expires_at,
        duration_ms: Math.floor(claim.duration_us / 1000),
        priority: claim.priority,
      });
      if (begun) shop.offer(wanted);
      else waiting.push(wanted);
    }
    shop.run(started.length ? Math.max(...started) : shop.now);
    for (const wanted of waiting) {
      const soon = wanted.play_at <= each.in.now && wanted.expires_at > each.in.now;
      shop.offer(soon ? { ...wanted, late: "join", pushed: true } : wanted);
    }
    shop.run(300 * S);
    /** @param {unknown[][]} rows */
    const sorted = (rows) => rows.map((row) => JSON.stringify(row)).sort();
    const plays = /** @type {[string, number, number, string | null][]} */ (each.expect.plays);
    const cut = plays.filter(([, , , by]) => by).map(([key]) => key);
    const lost = [...shop.outcomes].filter(([, outcome]) => outcome.startsWith("skipped")).map(([key]) => key);
    const losers = each.expect.losers.map((/** @type {[string]} */ [key]) => key);
    const partial = [...shop.outcomes].filter(([, outcome]) => outcome === "partial").map(([key]) => key);
    assert.deepEqual(
      sorted(audible(shop).map(([key, span]) => [key, ...span])),
      sorted(plays.map(([key, begin, end]) => [key, begin, end])),
    );
    assert.deepEqual(lost.sort(), losers.filter((/** @type {string} */ key) => !cut.includes(key)).sort());
    assert.deepEqual(partial.sort(), cut.sort());
  });
}

/** @type {[string, Partial<Play>, number, [number, number] | undefined, string][]} */
const LATE = [
  ["in time", {}, 90 * S, [100 * S, 110 * S], "played"],
  ["just in time", {}, 100 * S - LEAD_US, [100 * S, 110 * S], "played"],
  ["too late to start, skip", {}, 100 * S - LEAD_US + 1, undefined, "skipped_late"],
  ["late, skip", {}, 101 * S, undefined, "skipped_late"],
  ["expired", {}, 102 * S, undefined, "skipped_late"],
  ["expired, join", { late: "join" }, 102 * S, undefined, "skipped_late"],
  ["late, join", { late: "join" }, 101 * S, [101 * S + LEAD_US, 110 * S], "partial"],
  ["joined at once", { late: "join" }, 100 * S - LEAD_US + 9_000, [100 * S + 9_000, 110 * S], "played"],
  ["over", { late: "join", duration_ms: 500, expires_at: 160 * S }, 101 * S, undefined, "skipped_late"],
];
for (const [note, wanted, toldAt, heard, outcome] of LATE) {
  test(`late: ${note}`, () => {
    const shop = new Shop(toldAt);
    shop.offer(play("a", 100 * S, wanted));
    shop.run(200 * S);
    assert.deepEqual(shop.sounded.get("a"), heard);
    assert.equal(shop.outcomes.get("a"), outcome);
    if (heard) assert.equal(shop.offsets.get("a"), (heard[0] - 100 * S) / 1000, "enters where the others are");
  });
}

/** @param {Silence["reason"]} reason @returns {Silence[]} */
const silent = (reason) => [{ start_at: 50 * S, end_at: 150 * S, reason }];
/** @type {[Silence[], boolean, Partial<Play>, string][]} */
const SILENCES = [
  [silent("quiet_hours"), false, {}, "skipped_quiet"],
  [silent("quiet_hours"), false, { priority: "instant" }, "skipped_quiet"],
  [silent("quiet_hours"), false, { priority: "instant", overrides_quiet_hours: true }, "played"],
  [silent("quiet_hours"), false, { priority: "emergency" }, "played"],
  [silent("quiet_hours"), false, { play_at: 150 * S }, "played"],
  [silent("stopped"), false, { priority: "instant", overrides_quiet_hours: true }, "skipped_quiet"],
  [silent("stopped"), false, { priority: "emergency" }, "played"],
  [silent("client_locked"), false, { priority: "instant", overrides_quiet_hours: true }, "skipped_quiet"],
  [[], true, { priority: "instant", overrides_quiet_hours: true }, "skipped_quiet"],
  [[], true, { priority: "emergency" }, "played"],
  [[], false, {}, "played"],
];
for (const [silences, silenced, fields, outcome] of SILENCES) {
  test(`silence ${silences[0]?.reason} ${silenced} ${JSON.stringify(fields)}: ${outcome}`, () => {
    const shop = new Shop(90 * S, { silences, silenced });
    shop.offer(play("a", 100 * S, fields));
    shop.run(300 * S);
    assert.equal(shop.outcomes.get("a"), outcome);
  });
}

test("one event is one play however often it comes", () => {
  const shop = new Shop(90 * S);
  const wanted = play("a", 100 * S, { pushed: true });
  assert.deepEqual(shop.offer(wanted, wanted, wanted), ["armed", "duplicate", "duplicate"]);
  shop.plays.replacePlanned([play()], shop.now, shop.now);
  shop.run(100 * S);
  assert.deepEqual(shop.offer(wanted), ["duplicate"], "armed already");
  shop.plays.replacePlanned([play()], shop.now, shop.now);
  shop.run(200 * S);
  assert.deepEqual([...shop.outcomes], [["a", "played"]]);
});

test("a new plan drops what it does not name but never a push", () => {
  const shop = new Shop(90 * S);
  shop.offer(play("pushed", 100 * S, { pushed: true }));
  shop.plays.replacePlanned([play("old", 120 * S)], shop.now, shop.now);
  shop.plays.replacePlanned([play("new", 120 * S), play("past", 10 * S)], shop.now, shop.now);
  shop.run(200 * S);
  assert.deepEqual([...shop.outcomes.keys()].sort(), ["new", "pushed"]);
});

test("cancel before its start, while armed, while it sounds, and before it is known", () => {
  const shop = new Shop(90 * S);
  shop.offer(play("waiting"), play("armed", 120 * S), play("sounding", 140 * S));
  shop.carryOut(shop.plays.cancel("waiting", shop.now));
  shop.run(120 * S - ARM_AHEAD_US + 1000);
  shop.carryOut(shop.plays.cancel("armed", shop.now));
  shop.run(145 * S);
  shop.carryOut(shop.plays.cancel("sounding", shop.now));
  assert.deepEqual(shop.plays.cancel("sounding", shop.now), [], "it is fading out already");
  shop.carryOut(shop.plays.cancel("unknown", shop.now));
  shop.offer(play("unknown", 160 * S));
  shop.run(200 * S);
  assert.deepEqual(Object.fromEntries(shop.outcomes), {
    waiting: "skipped_cancelled",
    armed: "skipped_cancelled",
    sounding: "partial",
    unknown: "skipped_cancelled",
  });
  assert.deepEqual([...shop.sounded.keys()], ["sounding"]);
  assert(shop.span("sounding")[1] - 145 * S <= 500_000, "silent within half a second");
});

test("without a clock nothing is judged until it is trusted", () => {
  const shop = new Shop(90 * S, { trusted: false });
  shop.offer(play("passed"), play("due", 150 * S));
  shop.run(120 * S);
  assert.equal(shop.sounded.size + shop.outcomes.size, 0);
  shop.situation = { ...shop.situation, trusted: true };
  shop.run(200 * S);
  assert.deepEqual(Object.fromEntries(shop.outcomes), { passed: "skipped_clock", due: "played" });
});

test("what a plan held while the clock was unknown is told as such, and what was over before it came is not ours", () => {
  const shop = new Shop(120 * S);
  shop.plays.replacePlanned([play("before", 80 * S), play("passed", 100 * S), play("due", 150 * S)], 90 * S, shop.now);
  shop.run(200 * S);
  assert.deepEqual(Object.fromEntries(shop.outcomes), { passed: "skipped_clock", due: "played" });
});

test("audio that is not there fails with its own reason, and holds up nobody", () => {
  const missing = new Map([["0".repeat(64), { outcome: /** @type {const} */ ("failed_decode"), why: "no sound" }]]);
  const shop = new Shop(90 * S, { missing });
  const lacking = { sha256: "0".repeat(64), priority: /** @type {const} */ ("timeline"), expires_at: 160 * S };
  shop.offer(play("lacking", 99 * S, lacking), play("ready"));
  shop.run(200 * S);
  assert.deepEqual([...shop.sounded], [["ready", [100 * S, 110 * S]]]);
  assert.equal(shop.outcomes.get("lacking"), "failed_decode");
});

test("never two at once, never late, and always an outcome", () => {
  const random = mulberry32(7);
  /** @param {number} most */
  const upTo = (most) => Math.floor(random() * (most + 1));
  const PRIORITIES = /** @type {const} */ (["emergency", "instant", "timeline", "interval", "playlist"]);
  for (let round = 0; round < 150; round += 1) {
    const shop = new Shop(0);
    /** @type {{at: number, kind: string, n: number}[]} */
    const events = [];
    const plays = Array.from({ length: upTo(8) }, (_, n) => {
      const at = upTo(120);
      events.push({ at: upTo(100), kind: "offer", n });
      return play(String(n), at * S, {
        duration_ms: (1 + upTo(29)) * 1000,
        expires_at: (at + 1 + upTo(59)) * S,
        priority: PRIORITIES[upTo(4)],
        late: upTo(1) ? "join" : "skip",
      });
    });
    for (let n = upTo(3); n > 0; n -= 1) events.push({ at: upTo(150), kind: "cancel", n: upTo(7) });
    for (const { at, kind, n } of events.sort((a, b) => a.at - b.at)) {
      shop.run(at * S);
      if (kind === "offer") shop.offer(plays[n]);
      else shop.carryOut(shop.plays.cancel(String(n), shop.now));
    }
    shop.run(10_000 * S);
    const spans = audible(shop)
      .map(([, span]) => span)
      .sort((a, b) => a[0] - b[0]);
    spans.slice(1).forEach((span, n) => assert(span[0] >= spans[n][1], `round ${round}: ${JSON.stringify(plays)}`));
    assert.deepEqual([...shop.outcomes.keys()].sort(), plays.map((each) => each.event_id).sort());
  }
});

/** A small seeded generator (mulberry32, public domain), so that a failure comes again. @param {number} seed */
function mulberry32(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
