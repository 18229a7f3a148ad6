/**
 * Media by content: a file is named by its SHA-256 in the browser's Cache, and is there only whole and verified.
 *
 * A download that is cut resumes by Range with If-Range (RFC 9110 §13.1.5, §14) while the page is open: a server that has
 * another representation answers 200 and it begins anew. The hash decides, not the length. When the bound is passed, or
 * the browser's quota, what the plan does not need goes, the oldest first.
 */

const NAME = "sync2gear-media";
const PREFIX = "/speaker/media/";
const SHA256 = /^[0-9a-f]{64}$/;
/** A download that brings nothing for so long is given up, and resumed later. */
const STALLED_MS = 20_000;
const KEPT_AT = "X-Kept-At";
/** The most that is kept, and how much of the browser's quota. */
const BOUND_BYTES = 8 * 1024 ** 3;
const OF_QUOTA = 0.8;

/** A file could not be had; `refused` if its link is no longer honoured (expired, unknown). */
export class FetchError extends Error {
  /**
   * @param {string} message
   * @param {boolean} [refused]
   */
  constructor(message, refused = false) {
    super(message);
    this.refused = refused;
  }
}

/** What is here of a download. @typedef {{chunks: Uint8Array<ArrayBuffer>[], bytes: number, etag: string}} Part */

export class MediaCache {
  #cache;
  #bound;
  /** @type {Map<string, {bytes: number, at: number}>} */
  #files;
  /** @type {Map<string, Part>} */
  #parts = new Map();

  /**
   * @param {Cache} cache
   * @param {number} bound
   * @param {Map<string, {bytes: number, at: number}>} files
   */
  constructor(cache, bound, files) {
    this.#cache = cache;
    this.#bound = bound;
    this.#files = files;
  }

  /** Opens it, and asks the browser not to clear it by itself. */
  static async open() {
    const cache = await caches.open(NAME);
    const files = new Map();
    for (const request of await cache.keys()) {
      const kept = await cache.match(request);
      const sha256 = new URL(request.url).pathname.slice(PREFIX.length);
      const bytes = Number(kept?.headers.get("Content-Length"));
      files.set(sha256, { bytes, at: Number(kept?.headers.get(KEPT_AT)) });
    }
    await navigator.storage.persist();
    const { quota = BOUND_BYTES } = await navigator.storage.estimate();
    return new MediaCache(cache, Math.min(BOUND_BYTES, quota * OF_QUOTA), files);
  }

  /**
   * Whether the file is here.
   * @param {string} sha256
   */
  has(sha256) {
    return this.#files.has(sha256);
  }

  /** Bytes of all files. */
  get bytes() {
    return [...this.#files.values()].reduce((sum, each) => sum + each.bytes, 0);
  }

  /**
   * The bytes of a file; null if it is not here, or the browser has cleared it.
   * @param {string} sha256
   * @returns {Promise<ArrayBuffer | null>}
   */
  async read(sha256) {
    const kept = await this.#cache.match(PREFIX + sha256);
    if (kept === undefined) {
      this.#files.delete(sha256);
      return null;
    }
    return kept.arrayBuffer();
  }

  /**
   * Downloads one file, going on where an earlier try was cut.
   * @param {string} sha256
   * @param {string} url
   * @param {{size: number, needed: ReadonlySet<string>, urgent: boolean}} how `size` in bytes as promised; `needed`:
   *   files that stay; one that is `urgent` is fetched though the cache is full
   * @throws {FetchError}
   */
  async fetch(sha256, url, { size, needed, urgent }) {
    if (!SHA256.test(sha256)) throw new FetchError("its name is not a SHA-256 in hex");
    if (!(await this.#makeRoom(size, needed)) && !urgent) {
      throw new FetchError("the cache is full with what the plan needs sooner");
    }
    const bytes = await this.#download(sha256, url);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    if (hex(digest) !== sha256) throw new FetchError("the file's SHA-256 is not the promised one");
    const at = Date.now();
    const headers = { "Content-Length": String(bytes.byteLength), [KEPT_AT]: String(at) };
    try {
      await this.#cache.put(PREFIX + sha256, new Response(bytes, { headers }));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      throw new FetchError(`the browser does not keep it: ${error.message}`);
    }
    this.#files.set(sha256, { bytes: bytes.byteLength, at });
  }

  /**
   * @param {string} sha256
   * @param {string} url
   * @returns {Promise<ArrayBuffer>}
   */
  async #download(sha256, url) {
    const had = this.#parts.get(sha256);
    /** @type {Record<string, string>} */
    const headers = had === undefined ? {} : { Range: `bytes=${had.bytes}-`, "If-Range": had.etag };
    const stalled = new AbortController();
    let patience = setTimeout(() => stalled.abort(), STALLED_MS);
    try {
      const answer = await fetch(url, { headers, cache: "no-store", signal: stalled.signal });
      if (answer.status !== 200 && answer.status !== 206) {
        this.#parts.delete(sha256);
        throw new FetchError(`the server answered ${answer.status}`, [401, 403, 404, 410].includes(answer.status));
      }
      const etag = answer.headers.get("ETag") ?? "";
      const part = answer.status === 206 && had !== undefined ? had : { chunks: [], bytes: 0, etag };
      if (etag && !etag.startsWith("W/")) this.#parts.set(sha256, part);
      else this.#parts.delete(sha256);
      for (const body = answer.body?.getReader(); body !== undefined;) {
        const { done, value } = await body.read();
        if (done) break;
        clearTimeout(patience);
        patience = setTimeout(() => stalled.abort(), STALLED_MS);
        part.chunks.push(value);
        part.bytes += value.byteLength;
      }
      this.#parts.delete(sha256);
      return await new Blob(part.chunks).arrayBuffer();
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof DOMException)) throw error;
      throw new FetchError(`the download broke off (${error.message})`);
    } finally {
      clearTimeout(patience);
    }
  }

  /**
   * Evicts what is not `needed`, oldest first, until there is room; false if it cannot.
   * @param {number} size
   * @param {ReadonlySet<string>} needed
   */
  async #makeRoom(size, needed) {
    const oldest = [...this.#files].filter(([sha256]) => !needed.has(sha256)).sort((a, b) => a[1].at - b[1].at);
    for (const [sha256] of oldest) {
      if (this.bytes + size <= this.#bound) break;
      await this.#cache.delete(PREFIX + sha256);
      this.#files.delete(sha256);
    }
    return this.bytes + size <= this.#bound;
  }
}

/** @param {ArrayBuffer} bytes */
const hex = (bytes) => Array.from(new Uint8Array(bytes), (each) => each.toString(16).padStart(2, "0")).join("");
