/**
 * The journal: what this speaker has begun to play and what became of it, in IndexedDB.
 *
 * "Starting" is committed (`durability: "strict"`, so flushed to the disk) before the first sample; a row found in that
 * state when the page is opened may or may not have sounded: it becomes `unknown_after_crash` and is not played again.
 * Receipts stay until the server acknowledges them, and event ids `KEEP_US` longer, against repeats. Music that was
 * heard stays until the server acknowledges it, too.
 *
 * Every method that writes has committed when its promise is fulfilled; it is rejected if the disk does not take it.
 */

/** @typedef {import("./rules/messages.js").Receipt} Receipt */
/** @typedef {import("./rules/messages.js").MusicStretch} MusicStretch */
/**
 * One play: `crashed` is its receipt if nothing is heard of it any more; `owed` is 1 while the server has to be told.
 * @typedef {{event_id: string, at_us: number, crashed: Receipt | null, receipt: Receipt | null, owed: 0 | 1}} Row
 */

/** Longer than the 48 h within which a push or a plan may name an event again. */
export const KEEP_US = 72 * 3_600_000_000;
const PLAYS = "plays";
const MUSIC = "music";

export class Journal {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
  }

  /** Opens or creates it. @param {string} name @returns {Promise<Journal>} */
  static async open(name) {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(PLAYS, { keyPath: "event_id" });
      opening.result.createObjectStore(MUSIC, { keyPath: "report_id" });
    };
    return new Journal(await result(opening));
  }

  /**
   * Commits "starting". False if the event is in the journal already: it must not sound again.
   * @param {Receipt} crashed its receipt if nothing is heard of it any more
   * @param {number} now µs UTC
   */
  begin(crashed, now) {
    return this.#write(PLAYS, async (store) => {
      if ((await result(store.getKey(crashed.event_id))) !== undefined) return false;
      store.add({ event_id: crashed.event_id, at_us: now, crashed, receipt: null, owed: 0 });
      return true;
    });
  }

  /**
   * Keeps what became of an event, begun or not. An outcome that is kept already is not changed.
   * @param {Receipt} receipt
   * @param {number} now
   */
  finish(receipt, now) {
    return this.#write(PLAYS, async (store) => {
      /** @type {Row | undefined} */
      const row = await result(store.get(receipt.event_id));
      if (row?.receipt) return;
      store.put({ event_id: receipt.event_id, at_us: now, crashed: null, receipt, owed: 1 });
    });
  }

  /** When the page is opened: what was left in "starting" is what `begin` said it is then. @param {number} now */
  recover(now) {
    return this.#write(PLAYS, async (store) => {
      const left = (await rows(store)).filter((row) => row.receipt === null);
      for (const row of left) store.put({ ...row, receipt: row.crashed, crashed: null, at_us: now, owed: 1 });
      return left.map((row) => row.event_id);
    });
  }

  /** The receipts that the server has not acknowledged, oldest first. @returns {Promise<Receipt[]>} */
  async owed() {
    const all = await rows(this.#read(PLAYS));
    const owed = all.filter((row) => row.owed).sort((a, b) => a.at_us - b.at_us);
    return owed.flatMap((row) => row.receipt ?? []);
  }

  /** The server has committed these receipts. @param {readonly string[]} eventIds */
  acknowledge(eventIds) {
    return this.#write(PLAYS, async (store) => {
      for (const key of eventIds) {
        /** @type {Row | undefined} */
        const row = await result(store.get(key));
        if (row?.receipt) store.put({ ...row, owed: 0 });
      }
    });
  }

  /**
   * The receipt of an event that the server asks for once more: owed again. Null if there is none yet.
   * @param {string} eventId
   * @returns {Promise<Receipt | null>}
   */
  receiptAgain(eventId) {
    return this.#write(PLAYS, async (store) => {
      /** @type {Row | undefined} */
      const row = await result(store.get(eventId));
      if (!row?.receipt) return null;
      store.put({ ...row, owed: 1 });
      return row.receipt;
    });
  }

  /** The ids of all events that are in the journal. @returns {Promise<Set<string>>} */
  async known() {
    return new Set(/** @type {string[]} */ (await result(this.#read(PLAYS).getAllKeys())));
  }

  /** Forgets acknowledged events older than `KEEP_US`. @param {number} now */
  prune(now) {
    return this.#write(PLAYS, async (store) => {
      for (const row of await rows(store)) {
        if (row.receipt && !row.owed && row.at_us < now - KEEP_US) store.delete(row.event_id);
      }
    });
  }

  /** Keeps a stretch of music, or what is new of it. @param {MusicStretch} stretch @param {boolean} over */
  keepMusic(stretch, over) {
    return this.#write(MUSIC, async (store) => void store.put({ ...stretch, over }));
  }

  /** When the page is opened: what sounded when it was closed is over. */
  recoverMusic() {
    return this.#write(MUSIC, async (store) => {
      for (const row of await result(store.getAll())) store.put({ ...row, over: true });
    });
  }

  /**
   * Up to `most` stretches that are over and not acknowledged, oldest first.
   * @param {number} most
   * @returns {Promise<MusicStretch[]>}
   */
  async owedMusic(most) {
    /** @type {(MusicStretch & {over: boolean})[]} */
    const kept = await result(this.#read(MUSIC).getAll());
    const over = kept.filter((row) => row.over).sort((a, b) => a.started_at - b.started_at);
    return over.slice(0, most).map(({ over: _, ...stretch }) => stretch);
  }

  /** The server has committed these stretches: they are forgotten. @param {readonly string[]} reportIds */
  acknowledgeMusic(reportIds) {
    return this.#write(MUSIC, async (store) => reportIds.forEach((key) => store.delete(key)));
  }

  /** Closes it. */
  close() {
    this.#database.close();
  }

  /** @param {string} name */
  #read(name) {
    return this.#database.transaction(name, "readonly").objectStore(name);
  }

  /**
   * Runs `work`, whose awaits are of requests of this store alone, and waits for its commit.
   * @template T
   * @param {string} name
   * @param {(store: IDBObjectStore) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #write(name, work) {
    const transaction = this.#database.transaction(name, "readwrite", { durability: "strict" });
    const committed = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const [value] = await Promise.all([work(transaction.objectStore(name)), committed]);
    return value;
  }
}

/** @param {IDBObjectStore} store @returns {Promise<Row[]>} */
const rows = (store) => result(store.getAll());

/**
 * The result of a request.
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
