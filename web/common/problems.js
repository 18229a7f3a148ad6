/**
 * What the server refuses, in the reader's language. Its own sentences are English, and say more than a code does; for
 * another language there is a sentence for each code, loaded when that language is first spoken.
 */

import { effect, signal } from "../vendor/signals.js";
import { wording } from "./api.js";
import { language } from "./i18n.js";

const german = signal(/** @type {Record<string, string> | null} */ (null));

/** Has problems said in the language of the page; called once, by a page's main module. */
export function translateProblems() {
  wording.of = (code, detail, field) =>
    (language.value === "de" && german.value && said(german.value, code, detail, field)) || detail;
  effect(() => {
    if (language.value !== "de" || german.peek()) return;
    import("./problems.de.js").then(
      (module) => (german.value = module.default),
      () => {}, // without it they are said in English
    );
  });
}

/**
 * The sentence of a table for a code: for a field's own where the code means another thing there, with the number that
 * the server's sentence names. Undefined without one.
 * @param {Record<string, string>} table @param {string} code @param {string} detail @param {string | null} [field]
 * @returns {string | undefined}
 */
export function said(table, code, detail, field) {
  const text = (field && table[`feld.${code}`]) || table[code];
  if (!text?.includes("{n}")) return text;
  const n = /\d+(?:\.\d+)?/.exec(detail)?.[0];
  return n === undefined ? table[`ohne.${code}`] : text.replace("{n}", n);
}
