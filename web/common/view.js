/** All that a page draws with, from one place: Preact, its hooks, signals, and markup by htm. */

import { Fragment, createContext, h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export {
  useCallback,
  useContext,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "../vendor/hooks.js";
export {
  batch,
  computed,
  effect,
  signal,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
} from "../vendor/signals.js";
export { Fragment, createContext, h, render };

/** @typedef {import("preact").ComponentChildren} Children */
/** @typedef {import("preact").VNode<any>} View */

/**
 * Markup: html`<p class="lead">${words}</p>`. Text is escaped; nothing here takes HTML from a text.
 * @type {(strings: TemplateStringsArray, ...values: any[]) => View}
 */
export const html = /** @type {any} */ (htm.bind(h));

/**
 * Class names that hold: `classes("card", { open: isOpen })`.
 * @param {...(string | undefined | null | false | Record<string, unknown>)} names
 * @returns {string}
 */
export function classes(...names) {
  return names
    .flatMap((name) => (name && typeof name === "object" ? Object.keys(name).filter((key) => name[key]) : name || []))
    .join(" ");
}
