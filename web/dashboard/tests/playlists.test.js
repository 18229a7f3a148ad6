import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, bodyOf, draftOf, floorsOf, moved } from "../playlists/draft.js";

test("one element moves, the others keep their order", () => {
  const list = ["a", "b", "c", "d"];
  assert.deepEqual(moved(list, 0, 2), ["b", "c", "a", "d"]);
  assert.deepEqual(moved(list, 3, 0), ["d", "a", "b", "c"]);
  assert.deepEqual(moved(list, 1, 99), ["a", "c", "d", "b"]);
  assert.deepEqual(moved(list, 2, -1), ["c", "a", "b", "d"]);
});

test("nothing moves to where it is, and what is not there does not move", () => {
  const list = ["a", "b"];
  assert.equal(moved(list, 0, -5), list);
  assert.equal(moved(list, 1, 1), list);
  assert.equal(moved(list, 7, 0), list);
});

test("a playlist goes back as it came", () => {
  const row = /** @type {any} */ ({
    name: "All day",
    enabled: true,
    shuffle_music: false,
    shuffle_announcements: true,
    default_announcement_interval: 20,
    default_music_interval: 0,
    quiet_hours_start: null,
    quiet_hours_end: null,
    floors: [{ id: 4, name: "Bar", priority: 5 }],
    items: [
      {
        id: 1,
        music_file: 8,
        announcement: null,
        interval_minutes: null,
        title: "T",
        artist: "",
        duration_ms: 1,
        why_not: "",
      },
      {
        id: 2,
        music_file: null,
        announcement: 3,
        interval_minutes: 10,
        title: "A",
        artist: "",
        duration_ms: 1,
        why_not: "",
      },
    ],
  });
  const draft = draftOf(row);
  assert.deepEqual(bodyOf(draft).items, [
    { music_file: 8, interval_minutes: null },
    { announcement: 3, interval_minutes: 10 },
  ]);
  assert.deepEqual(floorsOf(draft), { floors: [{ floor: 4, priority: 5 }] });
  assert.equal(bodyOf(draft).default_announcement_interval, 20);
  assert.deepEqual(
    floorsOf(blank([1, 2])).floors.map((each) => each.floor),
    [1, 2],
  );
});
