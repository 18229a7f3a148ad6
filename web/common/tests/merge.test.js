import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, merged } from "../merge.js";

const base = { name: "Cheese", text: "Half price", days: [1, 2], file: /** @type {File | null} */ (null) };

test("what differs", () => {
  assert.deepEqual(changed(base, { ...base, days: [1, 2] }), []);
  assert.deepEqual(changed(base, { ...base, days: [2, 1], text: "" }), ["text", "days"]);
  assert.deepEqual(changed(base, { ...base, file: new File([], "a.mp3") }), ["file"]);
});

test("what I typed stands over what somebody else has saved", () => {
  const theirs = { ...base, name: "Cheese counter", text: "A third off" };
  assert.deepEqual(merged(base, theirs, { ...base, text: "Two for one" }), { ...theirs, text: "Two for one" });
  assert.deepEqual(merged(base, theirs, base), theirs);
});
