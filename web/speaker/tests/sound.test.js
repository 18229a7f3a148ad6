/** The guard at the output, and the tones. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { KNEE, guarded } from "../sound/guard.js";
import { identify, sine } from "../sound/tones.js";

test("the guard leaves alone what is below its knee, and lets nothing reach full scale", () => {
  for (const sample of [0, 0.5, -0.9, KNEE]) assert.equal(guarded(sample), sample);
  const loud = [0.93, 1, 1.5, 2, 4].map(guarded);
  assert.deepEqual([...loud].sort(), loud);
  assert(loud.every((each) => each > KNEE && each < 1));
  assert.equal(guarded(-2), -guarded(2));
});

test("a tone has its pitch, a quarter of full scale, and edges that do not click", () => {
  const tone = sine(440, 500, 48_000);
  assert.equal(tone.length, 24_000);
  const crossings = tone.filter((each, n) => n > 0 && tone[n - 1] < 0 && each >= 0).length;
  assert(Math.abs(crossings - 220) <= 1, `${crossings} periods in half a second`);
  assert(Math.abs(Math.max(...tone) - 0.25) < 0.001);
  assert.equal(tone[0], 0);
  assert(Math.abs(tone[48]) < 0.25 / 9, "a tenth of the edge");
});

test("identify is three tones of three quarters of a second", () => {
  assert.equal(identify(48_000).length, 36_000);
  assert.equal(identify(44_100).length, 33_075);
});
