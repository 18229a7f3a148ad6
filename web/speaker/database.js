/**
 * This speaker's IndexedDB: one database, opened once. Every write is flushed to the disk (`durability: "strict"`) when
 * its promise is fulfilled; the promise is rejected if the disk does not take it.
 */

const VERSION = 1;
export const PLAYS = "plays";
export const MUSIC = "music";
export const KEPT = "kept";

export class Database {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
  }

  /**
   * Opens or creates it.
   * @param {string} name
   * @returns {Promise<Database>}
   */
  static async open(name) {
    const opening = indexedDB.open(name, VERSION);
    opening.onupgradeneeded = () => {
      const database = opening.result;
      database.createObjectStore(PLAYS, { keyPath: "event_id" }).createIndex("state", ["state", "at_us"]);
      database.createObjectStore(MUSIC, { keyPath: "report_id" }).createIndex("state", ["state", "started_at"]);
      database.createObjectStore(KEPT);
    };
    return new Database(await result(opening));
  }

  /**
   * A store to read from.
   * @param {string} name
   */
  read(name) {
    return this.#database.transaction(name, "readonly").objectStore(name);
  }

  /**
   * Runs `work`, whose awaits are of requests of this store alone, and waits for its commit.
   * @template T
   * @param {string} name
   * @param {(store: IDBObjectStore) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async write(name, work) {
    const transaction = this.#database.transaction(name, "readwrite", { durability: "strict" });
    const committed = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const [value] = await Promise.all([work(transaction.objectStore(name)), committed]);
    return value;
  }

  /** Forgets everything. */
  async clear() {
    for (const name of [PLAYS, MUSIC, KEPT]) await this.write(name, async (store) => void store.clear());
  }
}

/**
 * The result of a request.
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
