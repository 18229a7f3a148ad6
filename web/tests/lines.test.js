/** How the files are written: what no formatter holds here. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const web = new URL("../", import.meta.url).pathname;
/** Characters of a line. Texts of the pages stand on one line each, whatever their length. */
const WIDEST = 140;
const TEXTS = /(^|\/)(en|de|problems\.de)\.js$/;
/** Written before this was held; a folder leaves this list once its lines are broken, and none joins it. */
const WIDE_STILL = /^dashboard\/(announcements|devices|music|now)\//;

const files = ["common", "dashboard", "speaker", "tests", "tools"].flatMap((part) =>
  readdirSync(join(web, part), { recursive: true })
    .map((path) => join(part, String(path)))
    .filter((path) => /\.(js|css)$/.test(path) && !WIDE_STILL.test(path)),
);

test("no line is wider than can be read, none ends in blanks, and each file ends with its last line", () => {
  assert.ok(files.length > 140);
  const wrong = files.flatMap((path) => {
    const text = readFileSync(join(web, path), "utf8");
    const found = text.split("\n").flatMap((line, index) => {
      if (/\s$/.test(line)) return [`${path}:${index + 1} ends in blanks`];
      return line.length > WIDEST && !TEXTS.test(path) ? [`${path}:${index + 1} has ${line.length} characters`] : [];
    });
    return /[^\n]\n$/.test(text) ? found : [...found, `${path} does not end with one newline`];
  });
  assert.deepEqual(wrong, []);
});
