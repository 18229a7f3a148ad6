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
  wording.of = (code, detail) => (language.value === "de" && german.value?.[code]) || detail;
  effect(() => {
    if (language.value !== "de" || german.peek()) return;
    import("./problems.de.js").then(
      (module) => (german.value = module.default),
      () => {}, // without it they are said in English
    );
  });
}
