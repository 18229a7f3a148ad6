/**
 * The journal: what this speaker has begun to play and what became of it.
 *
 * "Starting" is committed before the first sample; a row found in that state when the page is opened may or may not have
 * sounded: it becomes `unknown_after_crash` and is not played again. Receipts stay until the server acknowledges them,
 * and event ids `KEEP_US` longer, against repeats. Music that was heard stays until the server acknowledges it, too; what
 * was heard while the server's time was not known is dated once it is.
 */

import { MUSIC, PLAYS, result } from "./database.js";

/** @typedef {import("./rules/messages.js").Receipt} Receipt */
/** @typedef {import("./rules/messages.js").MusicStretch} MusicStretch */
/** `owed`: the server has to be told; `done`: it has acknowledged. @typedef {"starting" | "owed" | "done"} PlayState */
/**
 * One play; while it is `starting`, `receipt` is what it will be if nothing is heard of it any more.
 * @typedef {{event_id: string, state: PlayState, at_us: number, receipt: Receipt}} Row
 */
/**
 * A stretch of music: it lasts, it is over but not dated (in this opening of the page), or it is to be handed in.
 * @typedef {MusicStretch & {state: "lasting" | "undated" | "owed", dated: boolean, began_us: number}} MusicRow
 */

/** Longer than the 48 h within which a push or a plan may name an event again. */
export const KEEP_US = 72 * 3_600_000_000;

export class Journal {
  #database;

  /** @param {import("./database.js").Database} database */
  constructor(database) {
    this.#database = database;
  }

  /**
   * Commits "starting". False if the event is in the journal already: it must not sound again.
   * @param {Receipt} crashed its receipt if nothing is heard of it any more
   * @param {number} now µs UTC
   */
  begin(crashed, now) {
    return this.#database.write(PLAYS, async (store) => {
      if ((await result(store.getKey(crashed.event_id))) !== undefined) return false;
      store.add({ event_id: crashed.event_id, state: "starting", at_us: now, receipt: crashed });
      return true;
    });
  }

  /**
   * Keeps what became of an event, begun or not. An outcome that is kept already is not changed.
   * @param {Receipt} receipt
   * @param {number} now
   */
  finish(receipt, now) {
    return this.#database.write(PLAYS, async (store) => {
      /** @type {Row | undefined} */
      const row = await result(store.get(receipt.event_id));
      if (row !== undefined && row.state !== "starting") return;
      store.put({ event_id: receipt.event_id, state: "owed", at_us: now, receipt });
    });
  }

  /**
   * When the page is opened: what was left in "starting" is what `begin` said it is then.
   * @param {number} now
   * @returns {Promise<string[]>} their event ids
   */
  recover(now) {
    return this.#database.write(PLAYS, async (store) => {
      const left = await rows(store, "starting");
      for (const row of left) store.put({ ...row, state: "owed", at_us: now });
      return left.map((row) => row.event_id);
    });
  }

  /**
   * The receipts that the server has not acknowledged, oldest first.
   * @returns {Promise<Receipt[]>}
   */
  async owed() {
    return (await rows(this.#database.read(PLAYS), "owed")).map((row) => row.receipt);
  }

  /**
   * How many those are.
   * @returns {Promise<number>}
   */
  owedCount() {
    return result(this.#database.read(PLAYS).index("state").count(inState("owed")));
  }

  /**
   * The server has committed these receipts.
   * @param {readonly string[]} eventIds
   */
  acknowledge(eventIds) {
    return this.#database.write(PLAYS, async (store) => {
      for (const key of eventIds) {
        /** @type {Row | undefined} */
        const row = await result(store.get(key));
        if (row?.state === "owed") store.put({ ...row, state: "done" });
      }
    });
  }

  /**
   * The receipt of an event that the server asks for once more: owed again. Null if there is none yet.
   * @param {string} eventId
   * @returns {Promise<Receipt | null>}
   */
  receiptAgain(eventId) {
    return this.#database.write(PLAYS, async (store) => {
      /** @type {Row | undefined} */
      const row = await result(store.get(eventId));
      if (row === undefined || row.state === "starting") return null;
      store.put({ ...row, state: "owed" });
      return row.receipt;
    });
  }

  /**
   * The ids of all events that are in the journal.
   * @returns {Promise<Set<string>>}
   */
  async known() {
    return new Set(/** @type {string[]} */ (await result(this.#database.read(PLAYS).getAllKeys())));
  }

  /**
   * Forgets acknowledged events older than `KEEP_US`.
   * @param {number} now
   */
  prune(now) {
    return this.#database.write(PLAYS, async (store) => {
      const old = IDBKeyRange.bound(["done", 0], ["done", now - KEEP_US], false, true);
      for (const key of await result(store.index("state").getAllKeys(old))) store.delete(key);
    });
  }

  /**
   * Keeps a stretch of music, or what is new of it.
   * @param {MusicStretch} stretch
   * @param {{over: boolean, dated: boolean, began_us: number}} how `dated`: the server's time was known; `began_us` is
   *   its start on the monotonic clock of this opening
   */
  keepMusic(stretch, { over, dated, began_us }) {
    const state = over ? (dated ? "owed" : "undated") : "lasting";
    return this.#database.write(MUSIC, async (store) => void store.put({ ...stretch, state, dated, began_us }));
  }

  /**
   * When the page is opened: what sounded when it was closed is over, and what could not be dated then stays as it was
   * believed.
   */
  recoverMusic() {
    return this.#database.write(MUSIC, async (store) => {
      for (const state of ["lasting", "undated"]) {
        for (const row of await rows(store, state)) store.put({ ...row, state: "owed", dated: true });
      }
    });
  }

  /**
   * Dates what could not be dated in this opening of the page.
   * @param {(beganUs: number) => number} serverUs turns monotonic instants into the server's
   */
  dateMusic(serverUs) {
    return this.#database.write(MUSIC, async (store) => {
      /** @type {MusicRow[]} */
      const undated = await rows(store, "undated");
      for (const row of undated) {
        const started_at = serverUs(row.began_us);
        const ended_at = started_at + row.ended_at - row.started_at;
        store.put({ ...row, started_at, ended_at, state: "owed", dated: true });
      }
    });
  }

  /**
   * Up to `most` stretches that are over, dated and not acknowledged, oldest first.
   * @param {number} most
   * @returns {Promise<MusicStretch[]>}
   */
  async owedMusic(most) {
    /** @type {MusicRow[]} */
    const owed = await rows(this.#database.read(MUSIC), "owed", most);
    return owed.map(({ state: _, dated: __, began_us: ___, ...stretch }) => stretch);
  }

  /**
   * The server has committed these stretches: they are forgotten.
   * @param {readonly string[]} reportIds
   */
  acknowledgeMusic(reportIds) {
    return this.#database.write(MUSIC, async (store) => reportIds.forEach((key) => store.delete(key)));
  }
}

/** @param {string} state */
const inState = (state) => IDBKeyRange.bound([state], [state, []]);

/**
 * The rows in a state, oldest first.
 * @param {IDBObjectStore} store
 * @param {string} state
 * @param {number} [most]
 * @returns {Promise<any[]>}
 */
const rows = (store, state, most) => result(store.index("state").getAll(inState(state), most));
