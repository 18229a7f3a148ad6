/**
 * A day and its picture: when it begins and ends in a zone, where an instant stands, what is near a point. Milliseconds
 * since 1970.
 */

import { instantOf } from "../../common/zones.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["TimelineItem"]} Item */

/** The local date, `2026-07-01`, of an instant in a zone. @param {number} at @param {string} zone */
export function dateOf(at, zone) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(at);
  const of = (/** @type {string} */ type) => parts.find((part) => part.type === type)?.value;
  return `${of("year")}-${of("month")}-${of("day")}`;
}

/** The date so many days later. @param {string} date @param {number} days */
export function plusDays(date, days) {
  return new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/**
 * The first instant of a local date: midnight, or where clocks leave midnight out the first that there is.
 * @param {string} date
 * @param {string} zone
 */
export function midnight(date, zone) {
  return instantOf(`${date}T00:00`, zone);
}

/** A local date as an interval: 23, 24 or 25 hours. @param {string} date @param {string} zone */
export function span(date, zone) {
  return { start: midnight(date, zone), end: midnight(plusDays(date, 1), zone) };
}

/** Pixels that an hour takes, the whole day first. */
export const ZOOMS = [40, 160, 640, 2560];

const MINUTE = 60_000;
/** Minutes between two marks of the scale, for each zoom. */
const MARKS = [120, 30, 10, 2];

/**
 * The marks of the scale.
 * @param {{ start: number, end: number }} day
 * @param {number} zoom index of ZOOMS
 * @returns {number[]}
 */
export function marks({ start, end }, zoom) {
  const step = MARKS[zoom] * MINUTE;
  return Array.from({ length: Math.ceil((end - start) / step) }, (_, index) => start + index * step);
}

/**
 * Where a stretch stands in a day's picture, in pixels; at least `least` wide, so that it can be seen.
 * @param {{ start: number, end: number }} day @param {number} zoom @param {number} from @param {number} to @param
 *   {number} [least]
 */
export function placed(day, zoom, from, to, least = 0) {
  const px = ZOOMS[zoom] / 3_600_000;
  const left = (Math.max(from, day.start) - day.start) * px;
  return { left, width: Math.max(least, (Math.min(to, day.end) - Math.max(from, day.start)) * px) };
}

/** Where an item stands: what sounded or will, where it did; what does not, where it was due. @param {Item} item */
export function stretchOf(item) {
  const from = Date.parse(item.starts_at ?? item.at);
  const to = item.ends_at ? Date.parse(item.ends_at) : from + item.duration_ms;
  return { from, to };
}

/**
 * The item nearest to an instant, at most so far away; null if none is.
 * @template {Item} T
 * @param {T[]} items
 * @param {number} at
 * @param {number} within
 */
export function nearest(items, at, within) {
  /** @type {T | null} */
  let found = null;
  let least = within;
  for (const item of items) {
    const { from, to } = stretchOf(item);
    const away = at < from ? from - at : at > to ? at - to : 0;
    if (away < least || (away === 0 && found === null)) {
      found = item;
      least = away;
    }
  }
  return found;
}

/** @typedef {{ from: number, to: number, title: string, artist: string, tracks: number }} Run a stretch of music */

/**
 * The music as stretches: track by track, or where a track would be narrower than `least` milliseconds, all that follow
 * each
 * other without a silence that could be seen as one.
 * @param {{ starts_at: string, ends_at: string, title: string, artist: string }[]} segments in order @param {number}
 *   least
 * @returns {Run[]}
 */
export function runs(segments, least) {
  /** @type {Run[]} */
  const found = [];
  for (const segment of segments) {
    const [from, to] = [Date.parse(segment.starts_at), Date.parse(segment.ends_at)];
    const last = found.at(-1);
    if (last && from <= last.to + Math.max(1000, least / 8) && to - from < least) {
      last.to = Math.max(last.to, to);
      last.tracks += 1;
    } else found.push({ from, to, title: segment.title, artist: segment.artist, tracks: 1 });
  }
  return found;
}

/**
 * What a person asks of each: was it heard, will it be, or why not.
 * @typedef {"heard" | "missed" | "coming" | "sounding" | "left_out"} Fate
 */

/** @type {Record<Item["outcome"], Fate>} */
const FATES = {
  completed: "heard",
  failed: "missed",
  plays: "coming",
  sounding: "sounding",
  suppressed: "left_out",
  dropped: "left_out",
};

/** @param {Item} item */
export const fateOf = (item) => FATES[item.outcome];

/** How many there are of each. @param {Item[]} items @returns {Partial<Record<Fate, number>>} */
export function counted(items) {
  /** @type {Partial<Record<Fate, number>>} */
  const numbers = {};
  for (const item of items) numbers[fateOf(item)] = (numbers[fateOf(item)] ?? 0) + 1;
  return numbers;
}
