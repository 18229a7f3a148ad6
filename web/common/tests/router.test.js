import assert from "node:assert/strict";
import { test } from "node:test";
import { matched } from "../router.js";

test("what a path matches", () => {
  assert.deepEqual(matched("/floors/:id", "/floors/3"), { id: "3" });
  assert.deepEqual(matched("/staff/:part/:id", "/staff/clients/a%20b/"), { part: "clients", id: "a b" });
  assert.deepEqual(matched("/", "/"), {});
  for (const path of ["/floors", "/floors/3/x", "/devices/3"]) assert.equal(matched("/floors/:id", path), null);
});
