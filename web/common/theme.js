/** Light or dark: the system's choice, unless another was made here. */

import { effect, signal } from "../vendor/signals.js";
import { keep, kept } from "./stored.js";

/** @typedef {"system" | "light" | "dark"} Theme */

const chosen = kept("theme");

/** The theme that was chosen: set it, and the page follows. */
export const theme = signal(/** @type {Theme} */ (chosen === "light" || chosen === "dark" ? chosen : "system"));

/** Makes the page follow `theme`; called once, by a page's main module. */
export function followTheme() {
  effect(() => {
    const value = theme.value;
    keep("theme", value === "system" ? null : value);
    if (value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
  });
}
