import assert from "node:assert/strict";
import { test } from "node:test";
import { difference, inWords } from "../difference.js";

test("values are words", () => {
  assert.equal(inWords(null), "–");
  assert.equal(inWords(false), "false");
  assert.equal(inWords([]), "–");
  assert.equal(inWords({ floor: 3, priority: 0 }), "floor 3, priority 0");
  assert.equal(inWords([{ music_file: 7 }, { music_file: 9 }]), "music file 7, music file 9");
});

test("a change shows what differs, and of a list what came and went", () => {
  const before = { name: "Bar", quiet: null, floors: [1, 2, 3], order: [1, 2] };
  const after = { name: "Bar", quiet: "20:00", floors: [1, 3, 4], order: [2, 1] };
  assert.deepEqual(difference(before, after), [
    { name: "quiet", before: ["–"], after: ["20:00"] },
    { name: "floors", before: ["2"], after: ["4"] },
    { name: "order", before: ["1", "2"], after: ["2", "1"] },
  ]);
});

test("what is new has no before, what is gone no after", () => {
  assert.deepEqual(difference(undefined, { name: "Bar" }), [{ name: "name", before: [], after: ["Bar"] }]);
  assert.deepEqual(difference({ name: "Bar" }, undefined), [{ name: "name", before: ["Bar"], after: [] }]);
});
