/** What a browser keeps for a page. One that keeps nothing (a private window, a full disk) is no reason to stop. */

/**
 * A text that was kept, or null.
 * @param {string} name
 * @param {Storage} [where]
 * @returns {string | null}
 */
export function kept(name, where = globalThis.localStorage) {
  try {
    return where.getItem(`sync2gear.${name}`);
  } catch {
    return null; // storage is switched off
  }
}

/**
 * Keeps a text, or forgets it when it is null; says whether it could.
 * @param {string} name
 * @param {string | null} text
 * @param {Storage} [where]
 */
export function keep(name, text, where = globalThis.localStorage) {
  try {
    if (text === null) where.removeItem(`sync2gear.${name}`);
    else where.setItem(`sync2gear.${name}`, text);
    return true;
  } catch {
    return false; // storage is switched off or full
  }
}
