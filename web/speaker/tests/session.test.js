/** One connection's rules, its messages, and when to come back after it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../rules/backoff.js";
import { decode, encode } from "../rules/messages.js";
import { RECEIPT_REPEAT_US, SILENT_US, STRETCHES_A_MESSAGE, Session, WELCOME_TIMEOUT_US } from "../rules/session.js";

/** @typedef {import("../rules/messages.js").Outgoing} Outgoing */
/** @typedef {import("../rules/messages.js").Receipt} Receipt */

const S = 1_000_000;
const HELLO = { type: "hello", boot_id: "b" };
const DESIRED = { rev: 4, volume: 60, muted: false, output_delay_ms: 29, silenced: false };
const WELCOME = JSON.stringify({ type: "welcome", id: "1", ts: 0, re: null, session: "s", desired: DESIRED });

/** @param {number} [n] @returns {Receipt} */
const receipt = (n = 1) => ({ type: "playback_complete", event_id: `event ${n}`, outcome: "played" });
/** @param {number} n */
const stretch = (n) => ({
  report_id: `report ${n}`,
  segment_id: "s",
  music_id: 1,
  started_at: 0,
  ended_at: 1,
  played_ms: 0,
});

/** @param {...Receipt} receipts */
function welcomed(...receipts) {
  const session = new Session(HELLO, receipts, 0);
  assert.deepEqual(session.due(0), [HELLO]);
  assert.equal(session.received(WELCOME, 0).type, "welcome");
  return session;
}

/** @param {Outgoing} probe @param {number} at */
const reply = ({ n, t1 }, at) => JSON.stringify({ type: "time_reply", id: "2", ts: at, re: null, n, t1, t2: at, t3: at });

/**
 * What it sends when it is asked exactly when it wants to be, to a server that answers probes at once.
 * @param {Session} session
 * @param {number} until
 * @param {number} [begin]
 */
function run(session, until, begin = 0) {
  /** @type {{at: number, message: Outgoing}[]} */
  const sent = [];
  for (let now = begin; now < until; now = Math.max(now + 1, session.wakeUs(now))) {
    for (const message of session.due(now)) {
      sent.push({ at: now, message });
      if (message.type === "time_probe") session.received(reply(message, now), now);
    }
  }
  return sent;
}

/** @param {{at: number, message: Outgoing}[]} sent @param {string} type */
const timesOf = (sent, type) => sent.filter(({ message }) => message.type === type).map(({ at }) => at);

test("nothing but hello leaves before the welcome, and a server that never answers has failed", () => {
  const session = new Session(HELLO, [receipt()], 0);
  session.say({ type: "ack" }, { urgent: true });
  assert.deepEqual(
    run(session, WELCOME_TIMEOUT_US).map(({ message }) => message),
    [HELLO],
  );
  assert(!session.failed(WELCOME_TIMEOUT_US));
  assert(session.failed(session.wakeUs(0)));
});

test("a server that falls silent has failed", () => {
  const session = welcomed();
  run(session, 30 * S);
  assert.equal(session.failed(30 * S), false);
  for (let at = 30 * S; at < 48 * S; at += S) session.due(at); // it goes on to ask, and hears nothing
  const heard = 22_100_000; // the last answer to the burst that began at 20.7 s
  assert.equal(session.failed(heard + SILENT_US - 1000), false);
  assert.equal(session.failed(heard + SILENT_US + 1000), true);
  assert.ok(session.wakeUs(heard + SILENT_US - 1000) <= heard + SILENT_US + 1000);
});

test("ten probes within five seconds, then eight every ten", () => {
  const probes = timesOf(run(welcomed(), 40 * S), "time_probe");
  assert.equal(probes.filter((at) => at < 5 * S).length, 10);
  assert.deepEqual(probes.filter((at) => at >= 10 * S && at < 20 * S).length, 8);
  assert.equal(probes.filter((at) => at >= 20 * S && at < 30 * S).length, 8);
});

test("a reply completes the probe that it answers, once and in time", () => {
  const session = welcomed();
  const [probe] = session.due(10);
  const reply = { n: Number(probe.n), t1: Number(probe.t1), t2: 500, t3: 510 };
  assert.equal(session.probeOf({ ...reply, t1: 11 }, 20), null, "of another asking");
  session.due(100_000);
  const second = { n: 2, t1: 100_000, t2: 500, t3: 510 };
  assert.deepEqual(session.probeOf(second, 100_400), { t1: 100_000, t2: 500, t3: 510, t4: 100_400 });
  assert.equal(session.probeOf(second, 100_401), null, "twice");
  session.due(200_000);
  assert.equal(session.probeOf({ n: 3, t1: 200_000, t2: 500, t3: 510 }, 2_200_001), null, "too late");
});

test("receipts and stretches are repeated until they are acknowledged", () => {
  const session = welcomed(receipt());
  session.oweMusic([stretch(1)]);
  const sent = run(session, 40 * S);
  for (const type of ["playback_complete", "music_played"]) {
    assert.deepEqual(timesOf(sent, type), [0, RECEIPT_REPEAT_US, 2 * RECEIPT_REPEAT_US]);
  }
  const acknowledged = { type: "receipt_ack", event_ids: ["event 1"], report_ids: ["report 1"] };
  session.received(JSON.stringify(acknowledged), 40 * S);
  assert.equal(session.receiptsPending, 0);
  const after = run(session, 80 * S, 40 * S);
  assert(after.length && after.every(({ message }) => message.type === "time_probe"));
});

test("a backlog keeps within the limits and starves neither probes nor acknowledgements", () => {
  const session = welcomed(...Array.from({ length: 500 }, (_, n) => receipt(n)));
  session.oweMusic(Array.from({ length: 250 }, (_, n) => stretch(n)));
  const sent = run(session, 14 * S);
  for (let second = 0; second < 14; second += 1) {
    const upTo = sent.filter(({ at }) => at <= second * S).length;
    assert(upTo <= 40 + 10 * second, `${upTo} within ${second} s`);
  }
  assert(timesOf(sent, "time_probe").filter((at) => at < 6 * S).length >= 9);
  session.say({ type: "ack" }, { urgent: true });
  assert.equal(session.due(14 * S).at(0)?.type, "ack");
  const event_ids = Array.from({ length: 500 }, (_, n) => `event ${n}`);
  session.received(JSON.stringify({ type: "receipt_ack", event_ids }), 14 * S);
  const music = run(session, 28 * S, 14 * S).filter(({ message }) => message.type === "music_played");
  for (const { message } of music) {
    assert(/** @type {unknown[]} */ (message.stretches).length <= STRETCHES_A_MESSAGE);
  }
  assert.equal(music.length, 3);
});

test("frames: an envelope and no nulls, and back", () => {
  const sent = JSON.parse(encode({ type: "ack", event_id: "e", reason: null, clock: { error_us: null } }, 5, "d-1"));
  assert.deepEqual(sent, { type: "ack", id: "d-1", ts: 5, event_id: "e", clock: {} });
  const welcome = decode(WELCOME);
  assert(welcome.type === "welcome");
  assert.deepEqual(welcome.body.desired, DESIRED);
  assert.deepEqual(welcome.body.limits, { message_bytes: 65_536, messages_per_second: 10, burst: 40 });
});

const EVENT = "3b241101-e2bb-5255-8caf-4136c566a962";
/** @type {[unknown, RegExp, string][]} */
const JUNK = [
  ["{", /not JSON/, ""],
  ["[]", /unknown type/, ""],
  ["null", /not an object/, ""],
  ['{"type": "toString"}', /unknown type/, ""],
  ['{"type": "dance"}', /unknown type "dance"/, ""],
  ['{"type": "time_reply", "n": 1.5, "t1": 1, "t2": 1, "t3": 1}', /time_reply: n: expected an integer/, ""],
  ['{"type": "time_reply", "n": 9007199254740992, "t1": 1, "t2": 1, "t3": 1}', /expected an integer/, ""],
  [`{"type": "play_announcement", "event_id": "${EVENT}"}`, /announcement_id/, EVENT],
  [new ArrayBuffer(1), /not a text/, ""],
];
for (const [frame, why, eventId] of JUNK) {
  test(`not a message: ${frame}`, () => {
    const message = decode(frame);
    assert(message.type === "junk");
    assert.match(message.body.why, why);
    assert.equal(message.body.event_id, eventId);
  });
}

test("the examples of the protocol's page that a speaker is sent are understood", async () => {
  const { readFile } = await import("node:fs/promises");
  const page = await readFile(new URL("../../../docs/device-protocol.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/```json\n(\{"type".*\})\n```/g)].map(([, frame]) => frame);
  const understood = examples.map((frame) => decode(frame)).filter(({ type }) => type !== "junk");
  const [push] = understood.flatMap((message) => (message.type === "play_announcement" ? [message.body] : []));
  assert.equal(push.title, "Closing soon");
  const types = understood.map(({ type }) => type);
  assert.deepEqual([...new Set(types)].sort(), [
    "cancel_announcement",
    "control",
    "error",
    "plan_changed",
    "play_announcement",
    "receipt_ack",
    "reconnect",
    "set_desired",
    "test_tone",
    "time_reply",
    "welcome",
  ]);
});

test("back-off: up to five seconds, then twice as long each time, never more than ten", () => {
  const backoff = new Backoff(() => 0.999999);
  const waits = Array.from({ length: 9 }, () => Math.ceil(backoff.nextWait()));
  assert.deepEqual(waits, [5, 2, 4, 8, 10, 10, 10, 10, 10]);
  backoff.lasted(59);
  assert.equal(Math.ceil(backoff.nextWait()), 10);
  backoff.lasted(60);
  assert.equal(Math.ceil(backoff.nextWait()), 5);
});

test("back-off after the close codes that ask for a wait of their own", () => {
  const waits = (/** @type {number} */ code) => [0, 1].map((random) => new Backoff(() => random).nextWait(code));
  assert.deepEqual(waits(4401), [900, 900]);
  assert.deepEqual(waits(4403), [900, 900]);
  assert.deepEqual(waits(4426), [900, 900]);
  assert.deepEqual(waits(4409), [60, 120]);
  assert.deepEqual(waits(4429), [30, 60]);
  assert.deepEqual(waits(1013), [7.5, 15]);
  assert.deepEqual(waits(1012), [0, 5]);
});
