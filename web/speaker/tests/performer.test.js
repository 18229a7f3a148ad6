/** What becomes of a play while the output is not ready: it waits, as long as it can still be on time. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Performer } from "../performer.js";
import { LEAD_US } from "../rules/plays.js";

const S = 1_000_000;
/** @type {import("../rules/plays.js").Play} */
const PLAY = {
  event_id: "a",
  announcement_id: 1,
  sha256: "f".repeat(64),
  play_at: 100 * S,
  expires_at: 110 * S,
  duration_ms: 3000,
  volume: null,
  gain_db: 0,
  priority: "instant",
  duck_db: -15,
  late: "skip",
  overrides_quiet_hours: false,
  pushed: true,
  title: "",
};

/** A speaker whose clock stands where it is put, and whose output does what it is told. */
class Stage {
  now = 98 * S;
  output = { ready: false, blocked: false, start: (/** @type {any} */ clip) => this.started.push(clip.start_at) };
  /** @type {number[]} */
  started = [];
  /** @type {[string, string][]} */
  receipts = [];
  speaker = /** @type {any} */ ({
    monotonicUs: () => this.now,
    time: { now: () => this.now, trusted: true, instantAt: (/** @type {number} */ at) => at },
    state: { silenced: false, volume: 50 },
    media: { prepare() {}, has: () => true, missing: () => new Map(), release() {}, clip: () => ({}) },
    journal: { begin: async () => true, finish: async () => {} },
    link: {
      say() {},
      owe: (/** @type {any} */ { outcome, error }) => this.receipts.push([outcome, error]),
    },
    output: this.output,
    broken: (/** @type {unknown} */ error) => assert.fail(String(error)),
  });
  performer = new Performer(this.speaker);

  /** Looks ten times a second until then. @param {number} until */
  async goOn(until) {
    for (; this.now <= until; this.now += S / 10) {
      this.performer.look();
      await this.performer.settled;
    }
  }
}

test("a play waits for an output that is only just starting, and is on time", async () => {
  const stage = new Stage();
  stage.performer.takePushed(PLAY);
  await stage.goOn(PLAY.play_at - 0.5 * S);
  assert.deepEqual([stage.started, stage.receipts], [[], []]);
  stage.output.ready = true;
  await stage.goOn(PLAY.play_at - LEAD_US);
  assert.deepEqual([stage.started, stage.receipts], [[PLAY.play_at], []]);
});

for (const [blocked, why] of /** @type {const} */ ([
  [true, "the browser does not let the page sound"],
  [false, "the sound was only just starting"],
])) {
  test(`a play whose instant passes without an output says so: ${why}`, async () => {
    const stage = new Stage();
    stage.output.blocked = blocked;
    stage.performer.takePushed(PLAY);
    await stage.goOn(PLAY.play_at);
    assert.deepEqual([stage.started, stage.receipts], [[], [["failed_output", why]]]);
  });
}
