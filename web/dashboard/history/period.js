/** Which plays are asked for, by what stands in the page's address; and the numbers that charts show. */

import { midnight, plusDays } from "../timeline/day.js";

/** Days of each period that is offered; `own` has its two dates in the address. */
export const PERIODS = { today: 1, week: 7, month: 30 };

/** @typedef {keyof typeof PERIODS | "own"} Period */

/** Names of the address that the API takes as they are. */
export const FILTERS = ["floor", "device", "status", "reason", "priority", "search"];

const DATE = /^\d{4}-\d\d-\d\d$/;

/**
 * The local dates that are asked for, both included; at most 92 days, the latest ones.
 * @param {URLSearchParams} query @param {string} today
 * @returns {{ period: Period, first: string, last: string }}
 */
export function datesOf(query, today) {
  const [first, last] = [query.get("first") ?? "", query.get("last") ?? ""];
  if (DATE.test(first) || DATE.test(last)) {
    const end = DATE.test(last) ? last : today;
    const earliest = plusDays(end, -91);
    const start = DATE.test(first) && first <= end ? first : end;
    return { period: "own", first: start < earliest ? earliest : start, last: end };
  }
  const asked = query.get("period") ?? "";
  const period = /** @type {keyof typeof PERIODS} */ (asked in PERIODS ? asked : "week");
  return { period, first: plusDays(today, 1 - PERIODS[period]), last: today };
}

/**
 * The query of the API: from the first midnight to the one after the last date.
 * @param {URLSearchParams} query
 * @param {{ first: string, last: string }} dates
 * @param {string} zone
 */
export function askedOf(query, { first, last }, zone) {
  const asked = new URLSearchParams({
    from: new Date(midnight(first, zone)).toISOString(),
    to: new Date(midnight(plusDays(last, 1), zone)).toISOString(),
  });
  for (const name of FILTERS) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  return asked;
}

/** Uptime of up to so many days is asked for by the hour. */
const BY_HOUR_DAYS = 8;
/** And of so many speakers at most. */
const MOST = 100;

/**
 * The query for the uptime of the speakers that a query for plays is about.
 * @param {URLSearchParams} asked as `askedOf` says it
 */
export function uptimeQuery(asked) {
  const query = new URLSearchParams();
  for (const name of ["from", "to", "floor", "device"]) if (asked.get(name)) query.set(name, asked.get(name) ?? "");
  const days = (Date.parse(asked.get("to") ?? "") - Date.parse(asked.get("from") ?? "")) / 86_400_000;
  query.set("by", days <= BY_HOUR_DAYS ? "hour" : "day");
  query.set("page_size", String(MOST));
  return query;
}

/** @typedef {{ completed: number, failed: number, open: number, unreached: number, left_out: number }} Tally */

/**
 * Every date of the period with its numbers, those without a play too.
 * @template {Tally & { day: string }} T
 * @param {T[]} days
 * @param {string} first
 * @param {string} last
 * @returns {(Tally & { day: string })[]}
 */
export function everyDay(days, first, last) {
  const there = new Map(days.map((each) => [each.day, each]));
  const all = [];
  for (let day = first; day <= last; day = plusDays(day, 1)) {
    all.push(there.get(day) ?? { day, completed: 0, failed: 0, open: 0, unreached: 0, left_out: 0 });
  }
  return all;
}

/** The sum of numbers. @param {Tally[]} tallies @returns {Tally} */
export function summed(tallies) {
  const sum = { completed: 0, failed: 0, open: 0, unreached: 0, left_out: 0 };
  for (const each of tallies)
    for (const name of /** @type {(keyof Tally)[]} */ (Object.keys(sum))) sum[name] += each[name];
  return sum;
}

/** Of what was meant to be heard, the share that was; null while there is nothing. @param {Tally} tally */
export function success({ completed, failed, left_out }) {
  const meant = completed + failed - left_out;
  return meant ? completed / meant : null;
}

/**
 * Of what was meant to be heard, the share for which the speaker was there; null while there is nothing.
 * @param {Tally} tally
 */
export function reached({ completed, failed, left_out, unreached }) {
  const meant = completed + failed - left_out;
  return meant ? 1 - unreached / meant : null;
}

/** A round number that is not less: the top of a scale. @param {number} value */
export function top(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 4, 5, 8, 10].map((factor) => factor * power).find((each) => each >= value) ?? value;
}
