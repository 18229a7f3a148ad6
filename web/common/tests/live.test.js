import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ApiError, Unreachable } from "../api.js";
import { Live, connection, devices, onChanged, presence, waitBefore } from "../live.js";

globalThis.location = /** @type {any} */ ({ protocol: "http:", host: "shop.local" });

/** A server's end of a socket. */
class Peer {
  /** @type {any} */ onopen = null;
  /** @type {any} */ onmessage = null;
  /** @type {any} */ onclose = null;
  /** @type {any[]} */ said = [];
  closed = false;

  /** @param {string} text */
  send(text) {
    this.said.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  /** @param {any} message */
  says(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

/** A page's socket, and what it reaches. @param {() => Promise<string>} [ticket] */
function page(ticket = async () => "abc") {
  /** @type {Peer[]} */
  const peers = [];
  /** @type {string[][]} */
  const protocols = [];
  const ended = mock.fn();
  const open = (/** @type {string} */ _, /** @type {string[]} */ names) => {
    protocols.push(names);
    peers.push(new Peer());
    return /** @type {any} */ (peers.at(-1));
  };
  return { live: new Live({ ticket, open, ended }), peers, protocols, ended };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("says hello, keeps the speakers, and comes back with what it had", async () => {
  const { live, peers, protocols } = page();
  /** @type {any[]} */
  const told = [];
  const done = onChanged((changed) => told.push(changed));
  live.start();
  await soon();
  assert.deepEqual(protocols, [["sync2gear.dashboard.v1", "ticket.abc"]]);
  peers[0].onopen();
  assert.deepEqual(peers[0].said, [{ type: "hello" }]);
  peers[0].says({ type: "welcome", as_of: 5, reload: false, beat_s: 20 });
  assert.equal(connection.value, "open");
  peers[0].says({ type: "devices", as_of: 6, fresh: true, devices: [{ id: 1 }, { id: 2 }] });
  peers[0].says({ type: "devices", as_of: 7, fresh: false, devices: [{ id: 2, name: "B" }] });
  assert.deepEqual([...devices.value.values()], [{ id: 1 }, { id: 2, name: "B" }]);
  peers[0].says({ type: "changed", as_of: 8, topics: { plays: null } });
  peers[0].onclose({ code: 1012 });
  assert.equal(connection.value, "lost");
  mock.timers.tick(40_000);
  await soon();
  peers[1].onopen();
  assert.deepEqual(peers[1].said, [{ type: "hello", as_of: 8 }]);
  peers[1].says({ type: "welcome", as_of: 9, reload: true, beat_s: 20 });
  peers[1].says({ type: "devices", as_of: 10, fresh: true, devices: [{ id: 3 }] });
  assert.deepEqual([...devices.value.keys()], [3]);
  assert.deepEqual(told, [{ plays: null }, "everything"]);
  done();
  live.stop();
  assert.deepEqual([connection.value, devices.value.size, live.asOf], ["off", 0, null]);
});

test("a socket that says nothing for twice its beat is given up", async () => {
  const { live, peers } = page();
  live.start();
  await soon();
  peers[0].says({ type: "welcome", as_of: 5, reload: false, beat_s: 20 });
  mock.timers.tick(39_000);
  peers[0].says({ type: "beat", as_of: 6 });
  mock.timers.tick(39_000);
  assert.equal(peers[0].closed, false);
  mock.timers.tick(2000);
  assert.equal(peers[0].closed, true);
  mock.timers.tick(40_000);
  await soon();
  assert.equal(peers.length, 2);
  live.stop();
});

test("who may not look any more is asked to sign in; a server that is away is tried again", async () => {
  const refused = page(() => Promise.reject(new ApiError(401, {})));
  refused.live.start();
  await soon();
  assert.equal(refused.ended.mock.callCount(), 1);
  refused.live.stop();

  const tried = mock.fn(() => Promise.reject(new Unreachable()));
  const away = page(tried);
  away.live.start();
  await soon();
  mock.timers.tick(1000);
  await soon();
  assert.deepEqual([tried.mock.callCount(), away.ended.mock.callCount()], [2, 0]);
  away.live.stop();

  const over = page();
  over.live.start();
  await soon();
  over.peers[0].onclose({ code: 4403 });
  assert.equal(over.ended.mock.callCount(), 1);
  over.live.stop();
});

test("how a speaker is, and how long to wait", () => {
  const until = { online_until: 100_000_000 };
  assert.deepEqual(
    [60_000, 90_000, 100_000].map((at) => presence(until, at)),
    ["online", "late", "offline"],
  );
  assert.equal(presence({ online_until: null }, 5), "offline");
  assert.deepEqual(
    [0, 1, 20].map((failures) => waitBefore(failures, 1)),
    [1000, 2000, 30_000],
  );
});
