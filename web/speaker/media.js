/** Gets the files that plan and pushes need, soonest needed first, and decodes announcements before their instant. */

import { FetchError } from "./cache.js";

/**
 * One file: its SHA-256, where it can be had, how large it is.
 * @typedef {{sha256: string, url: string, size: number}} Need
 */
/** @typedef {import("./rules/plays.js").Missing} Missing */
/** @typedef {(bytes: ArrayBuffer) => Promise<AudioBuffer>} Decoder */

const AT_ONCE = 2;
/** A track that is longer is not decoded as a whole: that takes 23 MB for a minute, and two are open in a crossfade. */
const LONG_MS = 12 * 60_000;
const RETRY_FIRST_S = 0.5;
const RETRY_CEILING_S = 60;

export class Media {
  #cache;
  #decoder;
  #world;
  /** @type {Map<string, Need>} */
  #pushed = new Map();
  /** @type {Map<string, Need>} */
  #planned = new Map();
  /** @type {Set<string>} */
  #fetching = new Set();
  /** @type {Map<string, {why: string, failures: number, again: number, url: string}>} */
  #trouble = new Map();
  /** @type {Map<string, AudioBuffer>} */
  #clips = new Map();
  /** @type {Map<string, string>} */
  #undecodable = new Map();
  /** @type {Set<string>} */
  #decoding = new Set();

  /**
   * @param {import("./cache.js").MediaCache} cache
   * @param {Decoder} decoder
   * @param {{changed: () => void, staleUrls: () => void}} world `changed`: something became playable or failed;
   *   `staleUrls`: the server no longer honours a link, a new plan brings new ones
   */
  constructor(cache, decoder, world) {
    this.#cache = cache;
    this.#decoder = decoder;
    this.#world = world;
  }

  /** Whether a file of the plan is not here yet. */
  get lacking() {
    return this.here.files < this.here.of;
  }

  /** How many of the plan's files are here, of how many. */
  get here() {
    const planned = [...this.#planned.keys()];
    return { files: planned.filter((each) => this.#cache.has(each)).length, of: planned.length };
  }

  /** Size of the cache. */
  get bytes() {
    return this.#cache.bytes;
  }

  /**
   * What the plan needs, the soonest first.
   * @param {readonly Need[]} needs
   */
  plan(needs) {
    this.#planned = new Map(needs.map((need) => [need.sha256, need]));
    this.fetchNext();
  }

  /**
   * A pushed announcement's file comes before all of the plan's; false if it is here already.
   * @param {Need} need
   */
  push(need) {
    if (this.#cache.has(need.sha256)) return false;
    this.#pushed.set(need.sha256, need);
    this.#trouble.delete(need.sha256);
    this.fetchNext();
    return true;
  }

  /**
   * A pushed announcement is over: its file is not fetched for it any more.
   * @param {string} sha256
   */
  release(sha256) {
    this.#pushed.delete(sha256);
  }

  /**
   * Whether the file is here.
   * @param {string} sha256
   */
  has(sha256) {
    return this.#cache.has(sha256);
  }

  /**
   * A track: decoded as a whole, or the file itself if that is long; null if it is not here, or cannot be decoded.
   * @param {string} sha256
   * @param {number} durationMs
   * @returns {Promise<AudioBuffer | Blob | null>}
   */
  async track(sha256, durationMs) {
    const bytes = this.#undecodable.has(sha256) ? null : await this.#cache.read(sha256);
    if (bytes === null) return null;
    return durationMs > LONG_MS ? new Blob([bytes]) : this.#decoded(sha256, bytes);
  }

  /**
   * An announcement that `missing` does not name.
   * @param {string} sha256
   */
  clip(sha256) {
    const buffer = this.#clips.get(sha256);
    if (buffer === undefined) throw new Error(`${sha256} is not decoded`);
    return buffer;
  }

  /**
   * Which of these announcements cannot be played at this moment, and why.
   * @param {ReadonlySet<string>} sha256s
   * @returns {Map<string, Missing>}
   */
  missing(sha256s) {
    const lacking = [...sha256s].filter((each) => !this.#clips.has(each));
    return new Map(lacking.map((each) => [each, this.#why(each)]));
  }

  /**
   * Decodes these announcements as soon as their files are here, and forgets all other decoded ones.
   * @param {ReadonlySet<string>} sha256s
   */
  prepare(sha256s) {
    for (const sha256 of this.#clips.keys()) if (!sha256s.has(sha256)) this.#clips.delete(sha256);
    for (const sha256 of sha256s) {
      const busy = this.#clips.has(sha256) || this.#decoding.has(sha256) || this.#undecodable.has(sha256);
      if (!busy && this.#cache.has(sha256)) void this.#decode(sha256);
    }
  }

  /** Begins the next downloads; to be called now and then, for what failed is tried again. */
  fetchNext() {
    for (const need of [...this.#pushed.values(), ...this.#planned.values()]) {
      if (this.#fetching.size >= AT_ONCE) break;
      const trouble = this.#trouble.get(need.sha256);
      const waits = trouble !== undefined && trouble.url === need.url && trouble.again > performance.now();
      if (waits || this.#fetching.has(need.sha256) || this.#cache.has(need.sha256) || !need.url) continue;
      this.#fetching.add(need.sha256);
      void this.#fetch(need);
    }
  }

  /** @param {Need} need */
  async #fetch({ sha256, url, size }) {
    const needed = new Set([...this.#pushed.keys(), ...this.#planned.keys()]);
    try {
      await this.#cache.fetch(sha256, url, { size, needed, urgent: this.#pushed.has(sha256) });
      this.#trouble.delete(sha256);
      this.#pushed.delete(sha256);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      const failures = (this.#trouble.get(sha256)?.failures ?? 0) + 1;
      const waitS = Math.min(RETRY_CEILING_S, RETRY_FIRST_S * 2 ** (failures - 1));
      const again = performance.now() + waitS * 1000;
      this.#trouble.set(sha256, { why: error.message, failures, again, url });
      console.warn(`${sha256.slice(0, 12)}: ${error.message}; again in ${waitS} s`);
      if (error.refused) this.#world.staleUrls();
    } finally {
      this.#fetching.delete(sha256);
      this.#world.changed();
      this.fetchNext();
    }
  }

  /** @param {string} sha256 */
  async #decode(sha256) {
    this.#decoding.add(sha256);
    const bytes = await this.#cache.read(sha256);
    const buffer = bytes === null ? null : await this.#decoded(sha256, bytes);
    if (buffer !== null) this.#clips.set(sha256, buffer);
    this.#decoding.delete(sha256);
    this.#world.changed();
  }

  /**
   * @param {string} sha256
   * @param {ArrayBuffer} bytes
   */
  async #decoded(sha256, bytes) {
    try {
      return await this.#decoder(bytes);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#undecodable.set(sha256, error.message);
      console.warn(`${sha256.slice(0, 12)} cannot be decoded: ${error.message}`);
      return null;
    }
  }

  /**
   * @param {string} sha256
   * @returns {Missing}
   */
  #why(sha256) {
    const undecodable = this.#undecodable.get(sha256);
    if (undecodable !== undefined) return { outcome: "failed_decode", why: undecodable };
    const trouble = this.#cache.has(sha256) ? undefined : this.#trouble.get(sha256);
    return { outcome: "failed_fetch", why: trouble?.why ?? "the audio was not here in time" };
  }
}
