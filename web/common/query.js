/**
 * What a page asks of the API, kept while it is shown and asked again when the socket says that it changed: pages
 * update without a reload, and two parts that ask the same ask once.
 */

import { signal } from "../vendor/signals.js";
import { useCallback, useEffect, useState } from "../vendor/hooks.js";
import { api, call, samePlace } from "./api.js";
import { onChanged } from "./live.js";

/** @typedef {import("./live.js").Topic} Topic */

/**
 * Which changes concern an answer: that of the first beginning of its path.
 * @type {[string, Topic[]][]}
 */
const TOPICS = [
  ["/api/auth/", []],
  ["/api/announcements/", ["announcements"]],
  ["/api/music/", ["music"]],
  ["/api/channel-playlists/", ["playlists", "music", "announcements"]],
  ["/api/schedules/", ["schedules", "announcements"]],
  ["/api/floors/", ["floors", "devices", "playlists", "stops", "schedules"]],
  ["/api/devices/", ["devices", "floors"]],
  ["/api/play-events/", ["plays"]],
];

/** The topics of a path. @param {string} path @returns {Topic[]} */
export function topicsOf(path) {
  return TOPICS.find(([beginning]) => path.startsWith(beginning))?.[1] ?? [];
}

/** Changes within so long are one question to the API. */
const TOGETHER_MS = 250;
/** How long an answer that nobody shows any more is kept, for whoever comes back. */
const KEPT_MS = 60_000;

/**
 * @typedef {object} Entry
 * @property {import("../vendor/signals.js").Signal<{ data: any, etag: string | null, error: Error | null,
 *   loading: boolean }>} state
 * @property {Set<Topic>} topics
 * @property {number} users
 * @property {boolean} stale
 * @property {any} timer
 * @property {AbortController | null} asking
 */

/** @type {Map<string, Entry>} */
const entries = new Map();

/** @param {string} path @param {Topic[]} topics @returns {Entry} */
function entryOf(path, topics) {
  let entry = entries.get(path);
  if (!entry) {
    const state = signal(/** @type {any} */ ({ data: undefined, etag: null, error: null, loading: true }));
    entry = { state, topics: new Set(topics), users: 0, stale: true, timer: 0, asking: null };
    entries.set(path, entry);
  }
  return entry;
}

/** @param {string} path @param {Entry} entry */
async function ask(path, entry) {
  entry.asking?.abort();
  const asking = (entry.asking = new AbortController());
  entry.stale = false;
  entry.state.value = { ...entry.state.value, loading: true };
  try {
    const { data, etag } = await call("GET", path, undefined, { signal: asking.signal });
    if (entry.asking !== asking) return; // a newer question has taken its place
    entry.asking = null;
    entry.state.value = { data, etag, error: null, loading: false };
    if (entry.stale) refresh(path, entry);
  } catch (error) {
    if (entry.asking !== asking) return;
    entry.asking = null;
    // What was known stays on the screen: it is older, not wrong.
    entry.state.value = { ...entry.state.value, error: /** @type {Error} */ (error), loading: false };
    entry.stale = true;
  }
}

/**
 * Asks again what is shown, soon; what is not shown, when it is. What is on its way is let come: where changes are quicker
 * than answers, there would never be one.
 * @param {string} path @param {Entry} entry
 */
function refresh(path, entry) {
  entry.stale = true;
  if (!entry.users || entry.asking) return;
  clearTimeout(entry.timer);
  entry.timer = setTimeout(() => void ask(path, entry), TOGETHER_MS);
}

onChanged((changed) => {
  for (const [path, entry] of entries) {
    if (changed === "everything" || [...entry.topics].some((topic) => topic in changed)) refresh(path, entry);
  }
});

/**
 * Asks again all whose path begins so: after a change of one's own, which need not wait for the socket.
 * @param {...string} beginnings
 */
export function invalidate(...beginnings) {
  for (const [path, entry] of entries)
    if (beginnings.some((beginning) => path.startsWith(beginning))) refresh(path, entry);
}

/** Forgets everything: another person is signed in. */
export function forgetAll() {
  for (const entry of entries.values()) {
    entry.asking?.abort();
    clearTimeout(entry.timer);
  }
  entries.clear();
}

/**
 * The answer to a GET, kept up to date while the component is there. `data` is undefined until the first answer; an
 * `error` may stand beside older data; `etag` is of one row, for a change of it. A path of null asks nothing yet.
 * @template [T=any]
 * @param {string | null} path
 * @param {{ topics?: Topic[] }} [options] topics, where those of the path do not say it
 * @returns {{ data: T | undefined, etag: string | null, error: Error | null, loading: boolean, reload: () => void }}
 */
export function useQuery(path, { topics } = {}) {
  const entry = path === null ? null : entryOf(path, topics ?? topicsOf(path));
  useEffect(() => {
    if (!entry || path === null) return undefined;
    entry.users += 1;
    if (entry.stale) void ask(path, entry);
    return () => {
      entry.users -= 1;
      if (!entry.users) setTimeout(() => !entry.users && entries.get(path) === entry && entries.delete(path), KEPT_MS);
    };
  }, [entry]);
  const reload = useCallback(() => void (entry && path !== null && ask(path, entry)), [entry]);
  const state = entry?.state.value ?? { data: undefined, etag: null, error: null, loading: false };
  return { ...state, reload };
}

/**
 * A list by pages, the first kept up to date and the others added by `more()`: for what grows without bound.
 * @template [T=any]
 * @param {string} path
 * @param {{ topics?: Topic[] }} [options]
 * @returns {{ rows: T[] | undefined, error: Error | null, loading: boolean, more: (() => Promise<void>) | null, reload:
 *   () => void }}
 */
export function usePages(path, options) {
  const first = useQuery(path, options);
  const [later, setLater] = useState(/** @type {{ of: any, rows: any[], next: string | null } | null} */ (null));
  const shown = later && later.of === path ? later : null;
  const rows = first.data && joined(first.data.results, shown?.rows ?? []);
  const next = shown ? shown.next : (first.data?.next ?? null);
  const more = next
    ? async () => {
        const page = await api.get(samePlace(next));
        setLater({ of: path, rows: [...(rows ?? []), ...page.results], next: page.next });
      }
    : null;
  const reload = useCallback(() => {
    setLater(null);
    first.reload();
  }, [first.reload]);
  return { rows, error: first.error, loading: first.loading, more, reload };
}

/**
 * The newest first page and what was seen before, no row twice: rows that come push others off the first page.
 * @param {any[]} head
 * @param {any[]} tail
 */
export function joined(head, tail) {
  const there = new Set(head.map((row) => row.id));
  return [...head, ...tail.filter((row) => !there.has(row.id))];
}

/** So long after the last key a search is asked for. */
const TYPING_MS = 300;

/**
 * What was typed, once nobody types any more: not each letter is a question to the API.
 * @param {string} typed
 */
export function useSettled(typed) {
  const [settled, setSettled] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return settled;
}
