import assert from "node:assert/strict";
import { test } from "node:test";

import { startable } from "../uploads.js";

test("two are sent at once, in their order, and a failed one holds up nobody", () => {
  const all = (/** @type {string[]} */ ...states) => /** @type {any} */ (states.map((state, id) => ({ id, state })));
  for (const [states, ids] of /** @type {[string[], number[]][]} */ ([
    [[], []],
    [["waiting", "waiting", "waiting"], [0, 1]],
    [["kept", "sending", "waiting", "waiting"], [2]],
    [["sending", "examined", "waiting"], []],
    [["failed", "failed", "waiting"], [2]],
  ])) {
    assert.deepEqual(startable(all(...states)).map(({ id }) => id), ids);
  }
});
