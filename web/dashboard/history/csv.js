/** Plays as a file for a spreadsheet, page after page, which goes on while one looks at other pages. */

import { ApiError, api, samePlace } from "../../common/api.js";
import { signal } from "../../common/view.js";

/** @typedef {{ share: number, rows: number, stop: () => void }} Export how far it is, 0 to 1 */

/** The export that is under way; null: none. */
export const exporting = signal(/** @type {Export | null} */ (null));

/** What stands in a line, by the API's own names. */
export const COLUMNS = [
  "play_at",
  "announcement_title",
  "floor_name",
  "device_name",
  "priority",
  "status",
  "reason",
  "error_message",
  "started_at",
  "completed_at",
  "start_error_us",
  "played_ms",
  "volume",
  "created_by_name",
  "play_id",
  "id",
];

/**
 * A field of RFC 4180. Text that a spreadsheet would compute begins with an apostrophe.
 * @param {unknown} value
 */
export function field(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A line, with its end. @param {Record<string, unknown>} row */
export const line = (row) => `${COLUMNS.map((name) => field(row[name])).join(",")}\r\n`;

/**
 * How far a list that goes back in time has come.
 * @param {string} at
 * @param {string | null} from
 * @param {string | null} to
 * @param {number} now
 */
export function shareOf(at, from, to, now) {
  const [start, end] = [Date.parse(from ?? ""), Math.min(now, Date.parse(to ?? ""))];
  return end > start ? Math.min(1, Math.max(0, (end - Date.parse(at)) / (end - start))) : 0;
}

/**
 * Fetches all plays of a query and hands them to the browser as a file. One at a time; raises as `call` does.
 * @param {URLSearchParams} asked with `from` and `to`
 * @param {string} name of the file
 */
export async function exportPlays(asked, name) {
  if (exporting.value) return;
  const stopping = new AbortController();
  const { signal: stopped } = stopping;
  /** @type {string[]} */
  const lines = ["\uFEFF", `${COLUMNS.join(",")}\r\n`];
  const tell = (/** @type {number} */ share) => {
    exporting.value = { share, rows: lines.length - 2, stop: () => stopping.abort() };
  };
  tell(0);
  try {
    let path = `/api/play-events/?${asked}&limit=200`;
    while (path) {
      const page = await patiently(path, stopped);
      lines.push(...page.results.map(line));
      const last = page.results.at(-1);
      tell(last ? shareOf(last.play_at, asked.get("from"), asked.get("to"), Date.now()) : 1);
      path = page.next ? samePlace(page.next) : "";
    }
    save(new Blob(lines, { type: "text/csv;charset=utf-8" }), name);
  } catch (error) {
    if (!stopped.aborted) throw error;
  } finally {
    exporting.value = null;
  }
}

/** A page; told to wait, it waits. @param {string} path @param {AbortSignal} signal @returns {Promise<any>} */
async function patiently(path, signal) {
  for (;;) {
    try {
      return await api.get(path, { signal });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "rate_limited") throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, error.retryAfterS) * 1000));
      signal.throwIfAborted();
    }
  }
}

/** @param {Blob} file @param {string} name */
function save(file, name) {
  const url = URL.createObjectURL(file);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
