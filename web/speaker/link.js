/** Holds the socket to the server: connects by a ticket, carries frames for `Session`, comes back after every loss. */

import { Backoff, REFUSED_S } from "./rules/backoff.js";
import { SUBPROTOCOL, encode } from "./rules/messages.js";
import { Session } from "./rules/session.js";

/** @typedef {import("./rules/clockfilter.js").Probe} Probe */
/** @typedef {import("./rules/messages.js").Incoming} Incoming */
/** @typedef {import("./rules/messages.js").Outgoing} Outgoing */
/** @typedef {import("./rules/messages.js").Receipt} Receipt */
/**
 * Who the link works for. `now` is µs UTC for the envelope; `probed` takes an exchange of the burst of that name;
 * `message` any other message, `welcome` included; `lost` how a connection ended and the seconds until the next.
 * @typedef {{hello: () => Outgoing, now: () => number,
 *   probed: (probe: Probe, burst: string) => void, message: (message: Incoming) => void,
 *   lost: (code: number | null, waitS: number) => void}} Handler
 */

const CONNECT_MS = 15_000;

/** Whole µs of the monotonic clock. */
export const monotonicNow = () => Math.round(performance.now() * 1000);

/** One socket at a time, until `close`. */
export class Link {
  #server;
  #wsPath;
  #token;
  #handler;
  #backoff = new Backoff(Math.random);
  /** @type {Session | null} */
  #session = null;
  /** @type {WebSocket | null} */
  #socket = null;
  #sessions = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {number | null} */
  #reconnectS = null;
  #closed = false;
  /** Ends the running connection. @type {(code: number | null) => void} */
  #end = () => {};

  /** @param {string} server its origin @param {string} wsPath @param {string} token @param {Handler} handler */
  constructor(server, wsPath, token, handler) {
    this.#server = server;
    this.#wsPath = wsPath;
    this.#token = token;
    this.#handler = handler;
  }

  /** The running session; null without one. */
  get session() {
    return this.#session;
  }

  /** Connects, and after every loss again by the protocol's back-off. */
  async open() {
    /** @type {number | null} */
    let code = null;
    const ticket = await this.#ticket();
    if (this.#closed) return;
    if (typeof ticket === "string") code = await this.#converse(ticket);
    else code = ticket;
    if (this.#closed) return;
    const waitS = this.#reconnectS ?? this.#backoff.nextWait(code);
    this.#reconnectS = null;
    this.#handler.lost(code, waitS);
    this.#timer = setTimeout(() => void this.open(), waitS * 1000);
  }

  /**
   * Sends a message if there is a session; what only matters now is not kept for later.
   * @param {Outgoing} message
   * @param {{urgent?: boolean}} [how]
   */
  say(message, how) {
    this.#session?.say(message, how);
    this.pump();
  }

  /**
   * Sends a receipt, again and again until the server has it; without a session the next one finds it in the journal.
   * @param {Receipt} receipt
   */
  owe(receipt) {
    this.#session?.owe(receipt);
    this.pump();
  }

  /**
   * The same for stretches of music.
   * @param {readonly import("./rules/messages.js").MusicStretch[]} stretches
   */
  oweMusic(stretches) {
    this.#session?.oweMusic(stretches);
    this.pump();
  }

  /**
   * Sends what is due, and gives up a server that is silent; to be called several times a second.
   */
  pump() {
    const session = this.#session;
    const socket = this.#socket;
    if (session === null || socket?.readyState !== WebSocket.OPEN) return;
    for (let due = session.due(monotonicNow()); due.length; due = session.due(monotonicNow())) {
      for (const message of due) socket.send(encode(message, this.#handler.now(), crypto.randomUUID()));
    }
    if (session.failed(monotonicNow())) this.#end(null);
  }

  /** Says goodbye and stays away. @param {string} reason */
  close(reason) {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(encode({ type: "goodbye", reason }, this.#handler.now(), crypto.randomUUID()));
    }
    this.#socket?.close(1000);
  }

  /**
   * A ticket; or a close code where the token is not accepted, null where nobody answers.
   * @returns {Promise<string | number | null>}
   */
  async #ticket() {
    try {
      const headers = { Authorization: `Bearer ${this.#token}` };
      const signal = AbortSignal.timeout(CONNECT_MS);
      const answer = await fetch(`${this.#server}/api/devices/ticket/`, { method: "POST", headers, signal });
      if (answer.status === 401 || answer.status === 403) return 4000 + answer.status;
      if (answer.status === 429) return 4429;
      return answer.ok ? String((await answer.json()).ticket) : null;
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError || error instanceof DOMException) return null;
      throw error;
    }
  }

  /**
   * One connection, until it ends with this close code; null where it just fell silent.
   * @param {string} ticket
   * @returns {Promise<number | null>}
   */
  #converse(ticket) {
    const url = new URL(this.#wsPath, this.#server);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, [SUBPROTOCOL, `ticket.${ticket}`]);
    this.#socket = socket;
    return new Promise((resolve) => {
      this.#end = (code) => {
        if (this.#socket !== socket) return;
        const since = this.#session?.welcomedUs ?? null;
        if (since !== null) this.#backoff.lasted((monotonicNow() - since) / 1e6);
        this.#session = null;
        this.#socket = null;
        socket.close();
        resolve(code);
      };
      socket.onopen = () => {
        if (this.#socket !== socket) return;
        this.#sessions += 1;
        this.#session = new Session(this.#handler.hello(), [], monotonicNow());
        this.pump();
      };
      socket.onmessage = ({ data }) => {
        if (this.#socket === socket) this.#take(data, socket, monotonicNow());
      };
      socket.onclose = ({ code }) => this.#end(code);
      setTimeout(() => socket.readyState === WebSocket.CONNECTING && this.#end(null), CONNECT_MS);
    });
  }

  /** @param {unknown} frame @param {WebSocket} socket @param {number} at */
  #take(frame, socket, at) {
    const session = this.#session;
    if (session === null) return;
    const message = session.received(frame, at);
    if (message.type === "time_reply") {
      const probe = session.probeOf(message.body, at);
      if (probe !== null) this.#handler.probed(probe, `${this.#sessions} ${session.burstNumber}`);
    } else if (message.type === "reconnect") {
      this.#reconnectS = message.body.after_ms / 1000;
      socket.close(1000);
    } else if (message.type === "junk" && message.body.event_id) {
      const ack = { type: "ack", event_id: message.body.event_id, state: "cannot", reason: "malformed" };
      session.say(ack, { urgent: true });
    } else {
      this.#handler.message(message);
    }
    this.pump();
  }
}

/** Whether a wait is that of a speaker which the server refuses. @param {number} waitS */
export const refused = (waitS) => waitS >= REFUSED_S;
