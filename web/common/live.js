/**
 * What a shop's screen is told (docs/dashboard-socket.md): the state of its speakers, and which lists have changed.
 * Comes back by itself, and catches up by `as_of`, also after the machine has slept.
 */

import { batch, signal } from "../vendor/signals.js";
import { ApiError, api } from "./api.js";

/**
 * @typedef {object} DeviceState
 * @property {number} id
 * @property {number} floor
 * @property {string} name
 * @property {number | null} online_until µs UTC by the server's clock
 * @property {number} volume what was asked for, 0 to 100
 * @property {boolean} muted
 * @property {boolean} in_sync whether the speaker has applied what was asked for
 * @property {string | null} clock_state
 * @property {number | null} clock_error_us
 * @property {any} reported the last `status_update`
 */

/** @typedef {"announcements" | "devices" | "floors" | "music" | "playlists" | "plays" | "schedules" | "stops"} Topic */
/** @typedef {Partial<Record<Topic, (number | string)[] | null>>} Changed keys by topic; null: many */

/** Whether the socket is there: not wanted, on its way, there, or lost and tried again. */
export const connection = signal(/** @type {"off" | "connecting" | "open" | "lost"} */ ("off"));

/** The state of every speaker that one may see, by id. */
export const devices = signal(/** @type {ReadonlyMap<number, DeviceState>} */ (new Map()));

/**
 * Counts up each second while a page is open, so that what is due or late is drawn again. Milliseconds by the server's
 * clock.
 */
export const now = signal(Date.now());

let ahead = 0;
/** The server's time, in milliseconds since 1970: this machine's clock, put right by what the socket said last. */
export const serverNow = () => Date.now() + ahead;

/** @type {Set<(changed: Changed | "everything") => void>} */
const listeners = new Set();

/**
 * Hears of changes: which topics, or that everything may be different. Gives what ends it.
 * @param {(changed: Changed | "everything") => void} listener
 */
export function onChanged(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** @typedef {"online" | "late" | "offline"} Presence */

/** A speaker that has been silent for longer than this of its 45 s lease is late: it speaks every 15 s. */
const LATE_MS = 20_000;

/**
 * How a speaker is, at an instant of the server's clock.
 * @param {{ online_until: number | null }} state
 * @param {number} at
 * @returns {Presence}
 */
export function presence(state, at) {
  const left = (state.online_until ?? 0) / 1000 - at;
  return left <= 0 ? "offline" : left < LATE_MS ? "late" : "online";
}

const SUBPROTOCOL = "sync2gear.dashboard.v1";
/** What the server closes with when one has to sign in again, and when the page itself is too old. */
const ENDED = 4403;
const TOO_OLD = 4426;
const LONGEST_WAIT_MS = 30_000;

/**
 * The wait before the next attempt: none to 1 s at first, then up to 30 s, at random.
 * @param {number} failures
 * @param {number} [chance] 0 to 1
 */
export function waitBefore(failures, chance = Math.random()) {
  return Math.round(chance * Math.min(LONGEST_WAIT_MS, 1000 * 2 ** Math.min(failures, 10)));
}

/** One page's socket: opened once somebody is signed in, closed when they are not. */
export class Live {
  /**
   * @param {object} [ways] how it reaches out; tests have their own
   * @param {() => Promise<string>} [ways.ticket]
   * @param {(url: string, protocols: string[]) => WebSocket} [ways.open]
   * @param {() => void} [ways.ended] the session has ended
   */
  constructor({ ticket = asked, open = (url, protocols) => new WebSocket(url, protocols), ended = () => {} } = {}) {
    this.ticket = ticket;
    this.open = open;
    this.ended = ended;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {number | null} */
    this.asOf = null;
    this.failures = 0;
    this.silentAfterMs = 45_000;
    this.wanted = false;
    /** @type {any} */
    this.timer = 0;
    /** @type {any} */
    this.silence = 0;
  }

  /** Connects, and stays so until `stop`. */
  start() {
    if (this.wanted) return;
    this.wanted = true;
    void this.connect();
  }

  /** Closes, and forgets what was told: the next person is another. */
  stop() {
    this.wanted = false;
    this.asOf = null;
    this.failures = 0;
    this.drop();
    batch(() => {
      connection.value = "off";
      devices.value = new Map();
    });
  }

  /** Looks whether the socket still lives, after sleep or a change of network. */
  nudge() {
    if (!this.wanted) return;
    if (this.socket && Date.now() - this.heardAt < this.silentAfterMs / 2) return;
    this.drop();
    void this.connect();
  }

  drop() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  heardAt = 0;
  attempt = 0;

  async connect() {
    clearTimeout(this.timer);
    const mine = (this.attempt += 1);
    connection.value = this.failures ? "lost" : "connecting";
    let ticket;
    try {
      ticket = await this.ticket();
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return this.ended();
      return mine === this.attempt ? this.again() : undefined;
    }
    if (!this.wanted || mine !== this.attempt) return undefined;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = this.open(`${scheme}://${location.host}/ws/dashboard/`, [SUBPROTOCOL, `ticket.${ticket}`]);
    this.socket = socket;
    this.heard();
    socket.onopen = () =>
      socket.send(JSON.stringify({ type: "hello", ...(this.asOf !== null && { as_of: this.asOf }) }));
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.heard();
      this.read(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      this.socket = null;
      clearTimeout(this.silence);
      if (event.code === ENDED) this.ended();
      else if (event.code === TOO_OLD) location.reload();
      else this.again();
    };
    return undefined;
  }

  /** Tries again after a while. */
  again() {
    if (!this.wanted) return;
    connection.value = "lost";
    this.timer = setTimeout(() => void this.connect(), waitBefore(this.failures));
    this.failures += 1;
  }

  /** A socket that says nothing for twice its beat has been lost without a word. */
  heard() {
    this.heardAt = Date.now();
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.drop();
      this.again();
    }, this.silentAfterMs);
  }

  /** @param {any} message */
  read(message) {
    if (message.as_of) {
      this.asOf = message.as_of;
      ahead = message.as_of / 1000 - Date.now();
    }
    if (message.type === "welcome") {
      this.failures = 0;
      this.silentAfterMs = message.beat_s * 2000;
      connection.value = "open";
      if (message.reload) tell("everything");
    } else if (message.type === "devices") {
      const next = message.fresh ? new Map() : new Map(devices.value);
      for (const state of message.devices) next.set(state.id, state);
      devices.value = next;
    } else if (message.type === "changed") tell(message.topics);
    else if (message.type === "reload") tell("everything");
  }
}

/** @param {Changed | "everything"} changed */
function tell(changed) {
  for (const listener of [...listeners]) listener(changed);
}

/** @returns {Promise<string>} */
async function asked() {
  return (await api.post("/api/auth/ws-ticket/", {})).ticket;
}

/**
 * Ties a socket to the page's life: it looks again when the page is shown, and when there is a network.
 * @param {Live} live
 */
export function attach(live) {
  setInterval(() => {
    if (document.visibilityState === "visible") now.value = serverNow();
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    now.value = serverNow();
    live.nudge();
  });
  addEventListener("online", () => live.nudge());
}
