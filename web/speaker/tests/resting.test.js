import assert from "node:assert/strict";
import { test } from "node:test";
import { placeAt } from "../page/resting.js";

test("a page that rests is each minute somewhere else, and everywhere in nine", () => {
  const at = Array.from({ length: 10 }, (_, minute) => JSON.stringify(placeAt(minute * 60_000_000)));
  assert.equal(new Set(at.slice(0, 9)).size, 9);
  assert.equal(at[9], at[0]);
  assert.deepEqual(placeAt(59_999_999), placeAt(0));
});
