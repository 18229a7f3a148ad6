/** Addresses of a page that is one document: History API, plain links, and a table of what is shown where. */

import { computed, signal } from "../vendor/signals.js";

/** @returns {{ path: string, query: string }} */
const here = () => ({ path: globalThis.location?.pathname ?? "/", query: globalThis.location?.search ?? "" });

/** Where the page is: its path, and its query with the `?`. */
export const place = signal(here());

/** The query as it can be read: `query.value.get("floor")`. */
export const query = computed(() => new URLSearchParams(place.value.query));

/**
 * Whether something would be lost by leaving the place, and what asks before; filled in by `unsaved.js`.
 * @type {{ held: () => boolean, ask: (then: () => void) => void }}
 */
export const leaving = { held: () => false, ask: (then) => then() };

/** Which of this tab's entries is shown, as each entry's state has it: by it one knows how far back a step was. */
let entry = 0;

/**
 * Goes to an address of this page.
 * @param {string} address
 * @param {{ replace?: boolean, keepScroll?: boolean, anyway?: boolean }} [how] `anyway`: what is unsaved is of no use any
 *   more
 */
export function go(address, { replace = false, keepScroll = false, anyway = false } = {}) {
  const to = new URL(address, location.href);
  const move = () => {
    if (!replace) entry += 1;
    history[replace ? "replaceState" : "pushState"]({ entry }, "", to);
    place.value = here();
    if (!keepScroll) scrollTo(0, 0);
  };
  if (anyway || to.pathname === location.pathname || !leaving.held()) move();
  else leaving.ask(move);
}

/**
 * Sets names of the query in place, so that filters can be linked to; null or "" removes one.
 * @param {Record<string, any>} names
 */
export function setQuery(names) {
  const next = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(names)) {
    if (value === null || value === undefined || value === "") next.delete(name);
    else next.set(name, String(value));
  }
  const text = next.toString();
  go(place.value.path + (text ? `?${text}` : ""), { replace: true, keepScroll: true });
}

/**
 * Follows plain links and the browser's buttons; called once, by a page's main module.
 * @param {(path: string) => boolean} ours
 */
export function followLinks(ours) {
  entry = history.state?.entry ?? 0;
  history.replaceState({ entry }, "");
  followSteps();
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link?.href || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!ours(link.pathname) || (link.hash && link.pathname === location.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** Follows the browser's own buttons. What it has shown by itself is taken back while it is asked whether to leave. */
function followSteps() {
  let undone = false;
  let agreed = false;
  addEventListener("popstate", () => {
    const step = (history.state?.entry ?? entry) - entry;
    if (undone) undone = false;
    else if (agreed || !step || location.pathname === place.value.path || !leaving.held()) {
      agreed = false;
      entry += step;
      place.value = here();
    } else {
      undone = true;
      history.go(-step);
      leaving.ask(() => {
        agreed = true;
        history.go(step);
      });
    }
  });
}

/**
 * What a path matches: `{ id: "3" }` for `/floors/3` and `/floors/:id`, null for another.
 * @param {string} pattern
 * @param {string} path
 * @returns {Record<string, string> | null}
 */
export function matched(pattern, path) {
  const [wanted, given] = [pattern, path].map((text) => text.split("/").filter(Boolean));
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */
  const found = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(":")) found[part.slice(1)] = decodeURIComponent(given[index]);
    else if (part !== given[index]) return null;
  }
  return found;
}
