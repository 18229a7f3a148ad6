/**
 * What this speaker remembers from one opening of the page to the next, besides its journal: who it is, the last good
 * plan, the desired state applied last, its clock's drift. What does not fit any more is as if it were not there.
 */

import { KEPT, result } from "./database.js";
import { DocumentError, decimal, flag, integer, shape, text } from "./rules/documents.js";

/** @typedef {import("./rules/documents.js").Reader<any>} AnyReader */

/** Everything that is kept, each by its name. `token` opens this speaker's own paths and nothing else. */
const READERS = {
  identity: shape({ device_id: text, name: text, ws_path: text, plan_url: text, token: text }),
  pairing: shape({ hardware_id: text }),
  plan: shape({
    http_etag: text,
    document: /** @type {import("./rules/documents.js").Reader<unknown>} */ ((value) => value),
  }),
  state: shape({ rev: integer, volume: integer, muted: flag, output_delay_ms: integer, silenced: flag, stopped: flag }),
  clock: shape({ drift: decimal }),
};

/** @typedef {keyof typeof READERS} Name */
/**
 * @template {Name} N
 * @typedef {ReturnType<(typeof READERS)[N]>} Value
 */
/** Who this speaker is. @typedef {Value<"identity">} Identity */
/** The desired state applied last, and whether a person stopped the music here. @typedef {Value<"state">} State */

export class Kept {
  #database;

  /** @param {import("./database.js").Database} database */
  constructor(database) {
    this.#database = database;
  }

  /**
   * What was saved by this name; null if nothing was, or it is not understood.
   * @template {Name} N
   * @param {N} name
   * @returns {Promise<Value<N> | null>}
   */
  async load(name) {
    const found = await result(this.#database.read(KEPT).get(name));
    if (found === undefined) return null;
    try {
      return /** @type {Value<N>} */ (READERS[name](found, name));
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      console.warn("what was kept is not understood:", error.message);
      return null;
    }
  }

  /**
   * @template {Name} N
   * @param {N} name
   * @param {Value<N>} value
   */
  save(name, value) {
    return this.#database.write(KEPT, async (store) => void store.put(value, name));
  }

  /**
   * Forgets it.
   * @param {Name} name
   */
  forget(name) {
    return this.#database.write(KEPT, async (store) => store.delete(name));
  }
}
