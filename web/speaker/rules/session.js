/**
 * One connection's state machine, without I/O: what to send, when, and what a frame means.
 *
 * The link owns the socket and calls in here. A session says `hello` at once, speaks on only after `welcome`, keeps
 * within the server's limits, probes the clock in bursts and repeats receipts until they are acknowledged.
 */

import { LIMITS, decode } from "./messages.js";

/** @typedef {import("./clockfilter.js").Probe} Probe */
/** @typedef {import("./messages.js").Incoming} Incoming */
/** @typedef {import("./messages.js").Outgoing} Outgoing */
/** @typedef {import("./messages.js").Receipt} Receipt */
/** @typedef {import("./messages.js").MusicStretch} MusicStretch */

export const WELCOME_TIMEOUT_US = 10_000_000;
/**
 * Probes are answered every 10 s: a server that says nothing for so long is gone, whatever the socket believes. With the
 * back-off's ten seconds a speaker is back within half a minute, whatever befell it.
 */
export const SILENT_US = 15_000_000;
export const RECEIPT_REPEAT_US = 15_000_000;
const PROBE_LOST_US = 2_000_000;

/** @param {number} count @param {number} apart µs */
const every = (count, apart) => Array.from({ length: count }, (_, n) => n * apart);

/**
 * Instants of a burst's probes, and when the next begins (µs from its own beginning); the last one recurs. Ten probes
 * after the welcome: three at once for a play right after the start, seven 0.5 s apart that show the drift.
 */
const BURSTS = [
  { probes: every(3, 100_000), next: 700_000 },
  { probes: every(7, 500_000), next: 10_000_000 },
  { probes: every(8, 200_000), next: 10_000_000 },
];
/** About 25 kB, of the 64 KiB that a message may have. */
export const STRETCHES_A_MESSAGE = 100;
/** Messages of the allowance that only probes and acknowledgements may use, so that a backlog cannot starve them. */
const RESERVE = 4;

/** A token bucket: `rate` messages a second, `burst` at once. One short of both, so as never to be cut off. */
export class Allowance {
  #rate;
  #burst;
  #tokens;
  #at;

  /** @param {number} rate @param {number} burst @param {number} now µs */
  constructor(rate, burst, now) {
    this.#rate = Math.max(1, rate - 1) / 1e6;
    this.#burst = Math.max(1, burst - 1);
    this.#tokens = this.#burst;
    this.#at = now;
  }

  /** How many messages may be sent now. @param {number} now µs */
  available(now) {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#rate);
    this.#at = now;
    return Math.floor(this.#tokens);
  }

  /** One message was sent. */
  take() {
    this.#tokens -= 1;
  }

  /** µs until `count` messages may be sent. @param {number} count */
  waitUs(count) {
    return count > this.#tokens ? Math.ceil((count - this.#tokens) / this.#rate) + 1 : 0;
  }
}

/** Feed it frames and time (µs of the monotonic clock, whole); it says what to send and what arrived. */
export class Session {
  /** @type {import("./messages.js").Body<"welcome"> | null} */
  welcome = null;
  /** @type {number | null} */
  welcomedUs = null;
  /** Grows with every burst of probes; a probe belongs to the burst that is current when it is answered. */
  burstNumber = 0;
  /** @type {Outgoing | null} */
  #hello;
  /** @type {Outgoing[]} */
  #urgent = [];
  /** @type {Outgoing[]} */
  #ordinary = [];
  /** @type {Map<string, Receipt>} */
  #receipts;
  /** @type {Map<string, MusicStretch>} */
  #music = new Map();
  /** @type {Map<string, number>} */
  #sentUs = new Map();
  /** @type {Map<number, number>} */
  #probesOut = new Map();
  #allowance;
  #openedUs;
  #heardUs;
  #probeN = 0;
  #burstUs;
  #burstNext = 0;

  /**
   * @param {Outgoing} hello
   * @param {readonly Receipt[]} receipts
   * @param {number} now
   */
  constructor(hello, receipts, now) {
    this.#hello = hello;
    this.#receipts = new Map(receipts.map((each) => [each.event_id, each]));
    this.#openedUs = now;
    this.#heardUs = now;
    this.#burstUs = now;
    this.#allowance = new Allowance(LIMITS.messages_per_second, LIMITS.burst, now);
  }

  /** Receipts that the server has not acknowledged. */
  get receiptsPending() {
    return this.#receipts.size;
  }

  /**
   * Queues a message; urgent ones (acks, results) go before the rest. Nothing leaves before `welcome`.
   * @param {Outgoing} message
   * @param {{urgent?: boolean}} [how]
   */
  say(message, { urgent = false } = {}) {
    (urgent ? this.#urgent : this.#ordinary).push(message);
  }

  /** Queues a receipt, to be repeated until it is acknowledged. @param {Receipt} receipt */
  owe(receipt) {
    this.#receipts.set(receipt.event_id, receipt);
    this.#sentUs.delete(receipt.event_id);
  }

  /**
   * Queues stretches of music, to be repeated until they are acknowledged; those that are queued stay.
   * @param {readonly MusicStretch[]} stretches
   */
  oweMusic(stretches) {
    for (const each of stretches) if (!this.#music.has(each.report_id)) this.#music.set(each.report_id, each);
  }

  /** True if the server never answered the `hello`, or has been silent for SILENT_US. @param {number} now */
  failed(now) {
    return now > this.#patienceEndsUs;
  }

  /**
   * The messages to send now, in order; probes carry `now` as t1. Call it again after sending them.
   * @param {number} now
   * @returns {Outgoing[]}
   */
  due(now) {
    if (this.welcome === null) {
      const hello = this.#hello;
      this.#hello = null;
      return hello === null ? [] : [hello];
    }
    /** @type {Outgoing[]} */
    const sending = [];
    const room = this.#allowance.available(now);
    if (room > 0 && now >= this.#nextProbeUs()) sending.push(this.#probe(now));
    while (this.#urgent.length && sending.length < room) sending.push(...this.#urgent.splice(0, 1));
    while (this.#ordinary.length && sending.length < room - RESERVE) sending.push(...this.#ordinary.splice(0, 1));
    for (const [key, receipt] of this.#receipts) {
      if (sending.length >= room - RESERVE) break;
      if (now < this.#repeatUs(key, now)) continue;
      this.#sentUs.set(key, now);
      sending.push(receipt);
    }
    if (sending.length < room - RESERVE) sending.push(...this.#musicDue(now));
    for (const _ of sending) this.#allowance.take();
    return sending;
  }

  /**
   * The monotonic instant at which `due` or `failed` should be asked again if nothing else happens.
   * @param {number} now
   */
  wakeUs(now) {
    if (this.welcome === null) return this.#patienceEndsUs + 1;
    const oneAt = now + this.#allowance.waitUs(1);
    const roomAt = now + this.#allowance.waitUs(RESERVE + 1);
    const waits = [this.#patienceEndsUs + 1, Math.max(oneAt, this.#nextProbeUs())];
    if (this.#urgent.length) waits.push(oneAt);
    if (this.#ordinary.length) waits.push(roomAt);
    for (const key of [...this.#receipts.keys(), ...this.#music.keys()]) {
      waits.push(Math.max(roomAt, this.#repeatUs(key, now)));
    }
    return Math.max(now, Math.min(...waits));
  }

  /**
   * Takes one frame that arrived at `now`, and returns its message.
   * @param {unknown} frame
   * @param {number} now
   * @returns {Incoming}
   */
  received(frame, now) {
    this.#heardUs = now;
    const message = decode(frame);
    if (message.type === "welcome") {
      const limits = message.body.limits;
      this.welcome = message.body;
      this.welcomedUs = now;
      this.#allowance = new Allowance(limits.messages_per_second, limits.burst, now);
      this.#allowance.take();
      this.#burstUs = now;
      this.#burstNext = 0;
    } else if (message.type === "receipt_ack") {
      for (const key of [...message.body.event_ids, ...message.body.report_ids]) {
        this.#receipts.delete(key);
        this.#music.delete(key);
        this.#sentUs.delete(key);
      }
    }
    return message;
  }

  /**
   * The exchange that a `time_reply` completes; null if it was never asked, or answered too late.
   * @param {import("./messages.js").Body<"time_reply">} reply
   * @param {number} now
   * @returns {Probe | null}
   */
  probeOf(reply, now) {
    const t1 = this.#probesOut.get(reply.n);
    this.#probesOut.delete(reply.n);
    if (t1 === undefined || t1 !== reply.t1 || now - t1 > PROBE_LOST_US || reply.t3 < reply.t2) return null;
    return { t1, t2: reply.t2, t3: reply.t3, t4: now };
  }

  /** @param {number} now @returns {Outgoing} */
  #probe(now) {
    if (this.#burstNext >= this.#burst.probes.length) {
      this.burstNumber += 1;
      this.#burstUs = now;
      this.#burstNext = 0;
      this.#probesOut.clear();
    }
    this.#probeN += 1;
    this.#burstNext += 1;
    this.#probesOut.set(this.#probeN, now);
    return { type: "time_probe", n: this.#probeN, t1: now };
  }

  /** @param {number} now @returns {Outgoing[]} */
  #musicDue(now) {
    const due = [...this.#music.values()]
      .filter((each) => now >= this.#repeatUs(each.report_id, now))
      .slice(0, STRETCHES_A_MESSAGE);
    for (const each of due) this.#sentUs.set(each.report_id, now);
    return due.length ? [{ type: "music_played", stretches: due }] : [];
  }

  /** When a receipt or stretch is to be sent: at once, or again. @param {string} key @param {number} now */
  #repeatUs(key, now) {
    const sent = this.#sentUs.get(key);
    return sent === undefined ? now : sent + RECEIPT_REPEAT_US;
  }

  get #patienceEndsUs() {
    return this.welcome === null ? this.#openedUs + WELCOME_TIMEOUT_US : this.#heardUs + SILENT_US;
  }

  get #burst() {
    return BURSTS[Math.min(this.burstNumber, BURSTS.length - 1)];
  }

  #nextProbeUs() {
    const { probes, next } = this.#burst;
    return this.#burstUs + (this.#burstNext < probes.length ? probes[this.#burstNext] : next);
  }
}
