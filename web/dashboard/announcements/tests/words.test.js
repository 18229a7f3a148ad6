import assert from "node:assert/strict";
import { test } from "node:test";

import { spokenSeconds, voicesFor, wordings } from "../words.js";

test("the length of words is told before they are spoken", () => {
  for (const [text, seconds] of /** @type {[string, number][]} */ ([["", 0], ["  \n ", 0], ["one two three four five", 2], [Array(150).fill("word").join(" "), 60]])) {
    assert.equal(spokenSeconds(text), seconds);
  }
});

test("voices of the language stand alone, the best first", () => {
  const voice = (/** @type {string} */ id, /** @type {string} */ language, /** @type {number} */ quality) => /** @type {any} */ ({ id, name: id, language, quality });
  const voices = [voice("a", "en-GB", 40), voice("b", "de", 90), voice("c", "en-US", 60), voice("d", "mul", 50)];
  assert.deepEqual(voicesFor(voices, "en-AU").map(({ id }) => id), ["c", "d", "a"]);
  assert.deepEqual(voicesFor(voices.slice(0, 1), "fr").map(({ id }) => id), ["a"]);
});

test("earlier wordings are those that were replaced, each once, and never the present one", () => {
  const entry = (/** @type {number} */ id, /** @type {any} */ details) => ({ id, timestamp: `t${id}`, actor_name: "Olive", details });
  const entries = [entry(4, { before: { text: "two" }, after: { text: "three" } }), entry(3, { before: { title: "x" } }), entry(2, { before: { text: "one" } }), entry(1, { before: { text: "two " } }), entry(0, {})];
  assert.deepEqual(wordings(entries, "three").map(({ id, text }) => [id, text]), [[4, "two"], [2, "one"]]);
  assert.deepEqual(wordings(entries, "one").map(({ id }) => id), [4]);
});
