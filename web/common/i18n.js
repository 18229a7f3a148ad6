/**
 * Words, numbers and times in the reader's language. Texts stand in `en.js` and `de.js` beside who uses them; a key
 * starts with the name of its page (`now.title`). A text may have places, `{name}`, and may depend on a number: `{ one,
 * other }` by `n`.
 */

import { effect, signal } from "../vendor/signals.js";
import en from "./i18n/en.js";
import de from "./i18n/de.js";
import { keep, kept } from "./stored.js";

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }} Text */
/** @typedef {Record<string, Text>} Texts */
/** @typedef {Record<string, string | number>} Values */

/** The languages, each with its own name for itself. */
export const LANGUAGES = { en: "English", de: "Deutsch" };

/** @typedef {keyof typeof LANGUAGES} Language */

/**
 * The first of these (BCP 47) that we speak, else English.
 * @param {readonly (string | null)[]} wanted
 * @returns {Language}
 */
export function spoken(wanted) {
  const found = wanted.map((tag) => tag?.toLowerCase().split("-")[0]).find((tag) => tag && tag in LANGUAGES);
  return /** @type {Language} */ (found ?? "en");
}

/** The language of the page: set it, and all is said in it. */
export const language = signal(spoken([kept("language"), ...(globalThis.navigator?.languages ?? [])]));

/** Makes the document say its language, and keeps the choice; called once, by a page's main module. */
export function followLanguage() {
  effect(() => {
    document.documentElement.lang = language.value;
  });
}

/** @param {Language} next */
export function choose(next) {
  language.value = next;
  keep("language", next);
}

/** @type {Record<Language, Texts>} */
const all = { en: { ...en }, de: { ...de } };

/**
 * Adds the texts of a page; called where its module is loaded.
 * @param {Record<Language, Texts>} texts
 */
export function addTexts(texts) {
  for (const name of /** @type {Language[]} */ (Object.keys(LANGUAGES))) Object.assign(all[name], texts[name]);
}

/**
 * The text of this key in the reader's language; a key without one stands for itself, and a test finds it.
 * @param {string} key
 * @param {Values} [values] numbers are written as the language does; `n` also chooses the plural
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = all[language.value][key] ?? all.en[key];
  if (text === undefined) return key;
  const chosen = typeof text === "string" ? text : (text[plural(Number(values.n))] ?? text.other);
  return chosen.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name];
    return value === undefined ? place : typeof value === "number" ? number(value) : value;
  });
}

/**
 * Whether there is a text for this key: for codes of the server, of which a newer one may have more.
 * @param {string} key
 */
export function has(key) {
  return key in all.en;
}

/** @param {number} n */
function plural(n) {
  return made(Intl.PluralRules, {}).select(n);
}

/** @type {Map<string, any>} */
const formats = new Map();

/**
 * One of Intl's formats in the reader's language; making one takes as long as using it a hundred times.
 * @template T
 * @param {new (language: string, options: any) => T} Kind
 * @param {object} options
 * @returns {T}
 */
function made(Kind, options) {
  const name = `${Kind.name} ${language.value} ${JSON.stringify(options)}`;
  // The reader's own country's way of it, where the browser knows one: English has clocks of 12 hours and of 24.
  const own = globalThis.navigator?.languages?.find((each) => each.toLowerCase().split("-")[0] === language.value);
  if (!formats.has(name)) formats.set(name, new Kind(own ?? language.value, options));
  return formats.get(name);
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export function number(value, options = {}) {
  return made(Intl.NumberFormat, options).format(value);
}

/** A share, 0 to 1. @param {number} share */
export function percent(share) {
  return number(share, { style: "percent", maximumFractionDigits: share > 0.99 && share < 1 ? 1 : 0 });
}

/** @param {number} bytes */
export function size(bytes) {
  const [unit, factor] = bytes >= 1e9 ? ["gigabyte", 1e9] : bytes >= 1e6 ? ["megabyte", 1e6] : ["kilobyte", 1e3];
  return number(bytes / Number(factor), { style: "unit", unit: String(unit), maximumFractionDigits: 1 });
}

/** A length of sound: 3:07, or 1:02:03. @param {number} ms */
export function length(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/**
 * How long something lasted, in its two largest units: 2 hr 10 min; less than a minute in seconds.
 * @param {number} s
 */
export function duration(s) {
  const parts = /** @type {const} */ ([
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ]);
  const first = Math.max(0, parts.findIndex(([, length]) => s >= length));
  const shown = s >= 60 ? parts.slice(first, first + (s < 3600 ? 1 : 2)) : parts.slice(3);
  let left = s;
  const words = shown.map(([unit, length]) => {
    const n = Math.floor(left / length);
    left -= n * length;
    return n || s < 1 ? number(n, { style: "unit", unit, unitDisplay: "short" }) : "";
  });
  return words.filter(Boolean).join(" ");
}

/** @typedef {Date | string | number} Moment an instant: Date, ISO 8601, or milliseconds since 1970 */

/**
 * The time of day in a zone (the browser's without one): 14:05, or 14:05:09.
 * @param {Moment} moment @param {{ zone?: string, seconds?: boolean }} [options]
 */
export function time(moment, { zone, seconds = false } = {}) {
  const parts = { hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }) };
  return made(Intl.DateTimeFormat, { ...parts, timeZone: zone }).format(new Date(moment));
}

/** The day in a zone: Mon, 23 Nov. @param {Moment} moment @param {{ zone?: string, year?: boolean }} [options] */
export function day(moment, { zone, year = false } = {}) {
  const parts = { weekday: "short", day: "numeric", month: "short", ...(year && { year: "numeric" }) };
  return made(Intl.DateTimeFormat, { ...parts, timeZone: zone }).format(new Date(moment));
}

/** Day and time in a zone. @param {Moment} moment @param {{ zone?: string, seconds?: boolean }} [options] */
export function dayAndTime(moment, options = {}) {
  return `${day(moment, options)}, ${time(moment, options)}`;
}

/**
 * A day of the week by its ISO number, 1 Monday to 7 Sunday.
 * @param {number} weekday
 * @param {"short" | "long"} [form]
 */
export function weekdayName(weekday, form = "short") {
  const monday = Date.UTC(2024, 0, 1);
  return made(Intl.DateTimeFormat, { weekday: form, timeZone: "UTC" }).format(monday + (weekday - 1) * 86_400_000);
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

/** How far away: in 5 minutes, 2 hours ago. @param {Moment} moment @param {number} [now] milliseconds since 1970 */
export function relative(moment, now = Date.now()) {
  const away = new Date(moment).getTime() - now;
  const [unit, ms] = UNITS.find(([, ms]) => Math.abs(away) >= ms) ?? ["second", 1000];
  return made(Intl.RelativeTimeFormat, { numeric: "auto" }).format(Math.trunc(away / ms), unit);
}
