/** Keeps this speaker's plan: fetched by ETag, remembered, and the last good one held when a fetch fails. */

import { DocumentError } from "./rules/documents.js";
import { parse } from "./rules/plan.js";

/** @typedef {import("./rules/plan.js").Plan} Plan */

/** Asked anyway this often: a `plan_changed` may have been lost. */
const POLL_S = 900;
/** A plan, or the URL of a file that is not here yet, is renewed this long before it ends. */
const RENEW_BEFORE_S = 300;
const RETRY_CEILING_S = 60;
/** A token that is not accepted is tried again this often, as on the socket. */
const REFUSED_S = 900;
const ANSWER_MS = 30_000;
/** Never asked faster than this, though the server's plan may be short or its clock behind. */
const LEAST_S = 30;

export class PlanKeeper {
  /** @type {Plan | null} */
  plan = null;
  #kept;
  #url;
  #token;
  #world;
  #httpEtag = "";
  #anew = false;
  #refused = false;
  #failures = 0;
  /** @type {Promise<string> | null} */
  #asking = null;
  #askAgain = false;
  #closed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {import("./kept.js").Kept} kept
   * @param {{url: string, token: string}} where
   * @param {{now: () => number, lacking: () => boolean, changed: (plan: Plan) => void}} world `now` is µs UTC; `lacking`:
   *   whether a file of the plan is not here yet; `changed` is called with each new plan
   */
  constructor(kept, { url, token }, world) {
    this.#kept = kept;
    this.#url = url;
    this.#token = token;
    this.#world = world;
  }

  /** The plan's own ETag, "" without a plan. */
  get etag() {
    return this.plan?.etag ?? "";
  }

  /** Takes up the plan that was kept when the page was closed. */
  async load() {
    const kept = await this.#kept.load("plan");
    if (kept === null) return;
    try {
      this.plan = parse(kept.document);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      console.warn("the kept plan is not understood:", error.message);
      return;
    }
    this.#httpEtag = kept.http_etag;
    this.#world.changed(this.plan);
  }

  /**
   * Where the server says the plan is now.
   * @param {string} url
   */
  useUrl(url) {
    this.#url = url || this.#url;
  }

  /**
   * Asks soon, and from then on keeps asking. `anew` without If-None-Match, since fresh links do not change the ETag.
   * @param {{anew?: boolean}} [how]
   * @returns {Promise<string>} "" if it went well, else what went wrong
   */
  async refresh({ anew = false } = {}) {
    this.#anew ||= anew;
    if (this.#asking !== null) {
      this.#askAgain = true;
      return this.#asking;
    }
    clearTimeout(this.#timer);
    this.#asking = this.#ask();
    try {
      return await this.#asking;
    } finally {
      this.#asking = null;
    }
  }

  /** Asks no more. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #ask() {
    let problem = "";
    do {
      this.#askAgain = false;
      problem = await this.#fetch();
    } while (this.#askAgain && !problem && !this.#closed);
    if (problem) console.warn("the plan could not be fetched:", problem);
    this.#failures = problem ? this.#failures + 1 : 0;
    if (!this.#closed) this.#timer = setTimeout(() => void this.refresh(), this.#waitS(problem !== "") * 1000);
    return problem;
  }

  /** @param {boolean} failed */
  #waitS(failed) {
    if (this.#refused) return REFUSED_S;
    if (failed) return Math.min(RETRY_CEILING_S, 2 ** Math.min(this.#failures, 10));
    if (this.plan === null) return POLL_S;
    const ends = [this.plan.valid_until];
    if (this.#world.lacking()) ends.push(...this.plan.assets.flatMap((each) => each.url_expires_at || []));
    const soonestS = (Math.min(...ends) - this.#world.now()) / 1e6 - RENEW_BEFORE_S;
    if (soonestS < POLL_S) this.#anew = true;
    return Math.max(LEAST_S, Math.min(POLL_S, soonestS));
  }

  async #fetch() {
    const anew = this.#anew;
    this.#anew = false;
    /** @type {unknown} */
    let document;
    let plan;
    let etag = "";
    try {
      /** @type {Record<string, string>} */
      const headers = { Authorization: `Bearer ${this.#token}` };
      if (this.#httpEtag && !anew) headers["If-None-Match"] = this.#httpEtag;
      const answer = await fetch(this.#url, { headers, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      this.#refused = answer.status === 401 || answer.status === 403;
      if (answer.status === 304 && this.plan !== null) return "";
      if (answer.status !== 200) return `the server answered ${answer.status}`;
      document = await answer.json();
      etag = answer.headers.get("ETag") ?? "";
      plan = parse(document);
    } catch (error) {
      const unreadable = error instanceof DocumentError || error instanceof SyntaxError;
      const unreachable = error instanceof TypeError || error instanceof DOMException;
      if (!unreadable && !unreachable) throw error;
      this.#anew = anew;
      return error.message;
    }
    if (etag === this.#httpEtag && JSON.stringify(plan) === JSON.stringify(this.plan)) return "";
    this.plan = plan;
    this.#httpEtag = etag;
    this.#world.changed(plan);
    await this.#kept.save("plan", { http_etag: etag, document });
    return "";
  }
}
