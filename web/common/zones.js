/** Wall clocks: what a clock in a zone (IANA) shows at an instant, and when it shows it. Pure. */

/** How far a zone's clocks are ahead of UTC at an instant, in milliseconds. @param {number} at @param {string} zone */
export function ahead(at, zone) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const of = (/** @type {string} */ type) => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall - Math.floor(at / 1000) * 1000;
}

/**
 * When a clock in this zone shows this: milliseconds since 1970. What it shows twice is the first time; what it leaves
 * out, the instant from which it goes on.
 * @param {string} wall local date and time, `2026-07-01T09:30`
 * @param {string} zone
 */
export function instantOf(wall, zone) {
  const shown = Date.parse(`${wall}Z`);
  // Clocks change by hours at most: the offset a day before or after is the one before or after a change.
  const offsets = [ahead(shown - 86_400_000, zone), ahead(shown + 86_400_000, zone)];
  const guesses = [...new Set(offsets)].map((offset) => shown - offset);
  const right = guesses.filter((at) => at + ahead(at, zone) === shown);
  return right.length ? Math.min(...right) : Math.max(...guesses);
}

/**
 * What a clock in this zone shows, as `<input type="datetime-local">` has it: `2026-07-01T09:30`.
 * @param {number} at milliseconds since 1970
 * @param {string} zone
 */
export function wallOf(at, zone) {
  return new Date(at + ahead(at, zone)).toISOString().slice(0, 16);
}

/** All zones that the browser knows, by name. */
export const zones = () => Intl.supportedValuesOf("timeZone");
