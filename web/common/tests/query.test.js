import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, topicsOf } from "../query.js";
import { peaksOf } from "../ui/sound.js";

test("which changes concern an answer", () => {
  assert.deepEqual(topicsOf("/api/play-events/?floor=3"), ["plays"]);
  assert.ok(topicsOf("/api/floors/3/timeline/").includes("schedules"));
  assert.deepEqual(topicsOf("/api/auth/me/"), []);
  assert.deepEqual(topicsOf("/api/unknown/"), []);
});

test("pages are joined without a row twice", () => {
  const [head, tail] = [
    [{ id: 3 }, { id: 2 }],
    [{ id: 2, old: true }, { id: 1 }],
  ];
  assert.deepEqual(joined(head, tail), [{ id: 3 }, { id: 2 }, { id: 1 }]);
});

test("the waveform's loudest part is 1", () => {
  const peaks = peaksOf(Float32Array.from([0, 0.1, -0.5, 0.2, 0, 0]), 3);
  assert.deepEqual(
    peaks.map((peak) => Math.round(peak * 100) / 100),
    [0.2, 1, 0],
  );
  assert.deepEqual(peaksOf(new Float32Array(4), 2), [0, 0]);
});
