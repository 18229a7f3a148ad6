/** What a session was begun with, in the words of a person who looks for the one they do not know. */

/**
 * The first that fits. Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
 * @type {[string, RegExp][]}
 */
const BROWSERS = [
  ["Edge", /\bEdg(?:e|A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /(?:Chrome|CriOS)\//],
  ["Safari", /\bSafari\//],
];
/** An iPad and Android call themselves macOS and Linux too. @type {[string, RegExp][]} */
const SYSTEMS = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b|\bMacintosh\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Linux", /\bLinux\b/],
];

/**
 * The browser and the system of a `User-Agent` (RFC 9110 §10.1.5), such as "Firefox, Windows"; of a program its own
 * name.
 * @param {string} userAgent
 */
export function browserOf(userAgent) {
  const found = [BROWSERS, SYSTEMS].flatMap((table) => table.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? []);
  return found.join(", ") || userAgent.split(/[\s/]/)[0];
}
