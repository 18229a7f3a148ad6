import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { ApiError, Unreachable, api, call, caller, everyRow, samePlace, withQuery } from "../api.js";

/** @type {{ url: string, headers: import("node:http").IncomingHttpHeaders, body: string }[]} */
let asked = [];
/** What the server answers next: status, body, headers. @type {[number, any, Record<string, string>?][]} */
let answers = [];
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    asked.push({ url: request.url ?? "", headers: request.headers, body });
    const [status, data, headers] = answers.shift() ?? [200, {}];
    const type = status < 400 ? "application/json" : "application/problem+json";
    response.writeHead(status, { "Content-Type": type, ...headers });
    response.end(JSON.stringify(data));
  });
});
let base = "";

before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  base = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
});
after(() => server.close());
beforeEach(() => {
  asked = [];
  answers = [];
  caller.token = async () => "first";
  caller.renewed = async () => "second";
});

test("a query leaves out what is not said, and repeats a list", () => {
  assert.equal(withQuery("/api/x/", { a: 1, b: null, c: "", d: [2, 3] }), "/api/x/?a=1&d=2&d=3");
  assert.equal(withQuery("/api/x/?a=1", { b: false }), "/api/x/?a=1&b=false");
  assert.equal(samePlace("https://elsewhere.example/api/x/?cursor=a"), "/api/x/?cursor=a");
});

test("a refused token is renewed once, and the key of a POST stays the same", async () => {
  answers = [
    [401, { code: "token_invalid" }],
    [201, { id: 1 }],
  ];
  assert.deepEqual(await api.post(`${base}/api/floors/`, { name: "A" }), { id: 1 });
  assert.deepEqual(
    asked.map(({ headers }) => headers.authorization),
    ["Bearer first", "Bearer second"],
  );
  assert.equal(asked[0].headers["idempotency-key"], asked[1].headers["idempotency-key"]);
  assert.match(String(asked[0].headers["idempotency-key"]), /^[0-9a-f]{32}$/);
  assert.equal(asked[1].body, '{"name":"A"}');
});

test("a POST has the key that it is given", async () => {
  await api.post(`${base}/api/floors/`, {}, { key: "mine" });
  await api.get(`${base}/api/floors/`);
  assert.deepEqual(asked.map(({ headers }) => headers["idempotency-key"]), ["mine", undefined]);
});

test("a token that cannot be renewed is asked for once", async () => {
  answers = [
    [401, { code: "token_invalid" }],
    [401, { code: "token_invalid" }],
    [200, {}],
  ];
  const refused = (/** @type {unknown} */ error) => error instanceof ApiError && error.code === "token_invalid";
  await assert.rejects(api.get(`${base}/api/floors/`), refused);
  assert.equal(asked.length, 2);
});

test("a problem says what is wrong with which field", async () => {
  const errors = [
    { field: "name", code: "blank", detail: "Give a name." },
    { field: null, code: "x", detail: "And this." },
  ];
  answers = [[400, { code: "validation_failed", detail: "name: Give a name.", errors }, { "Retry-After": "7" }]];
  const error = await api.patch(`${base}/api/floors/1/`, {}, { etag: '"a"' }).catch((problem) => problem);
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.status, error.retryAfterS], [400, 7]);
  assert.deepEqual([error.of("name"), error.of("zone"), error.beside(["name"])], ["Give a name.", "", "And this."]);
  assert.equal(asked[0].headers["if-match"], '"a"');
});

test("nobody there is no problem of the API", async () => {
  await assert.rejects(call("GET", "http://127.0.0.1:1/api/"), Unreachable);
});

test("every row, page after page", async () => {
  globalThis.location = /** @type {any} */ ({ origin: base });
  const fetched = globalThis.fetch;
  globalThis.fetch = (url, how) => fetched(new URL(String(url), base), how);
  const next = "https://shop.example/api/floors/?page=2";
  answers = [
    [200, { results: [{ id: 1 }], next }],
    [200, { results: [{ id: 2 }], next: null }],
  ];
  assert.deepEqual(await everyRow(`${base}/api/floors/`), [{ id: 1 }, { id: 2 }]);
  assert.deepEqual(
    asked.map(({ url }) => url),
    ["/api/floors/?page_size=200", "/api/floors/?page=2"],
  );
  globalThis.fetch = fetched;
});
