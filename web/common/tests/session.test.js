import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { api, caller } from "../api.js";
import { adopt, look, me, phase, signOut } from "../session.js";

/** What a browser keeps. */
class Store {
  /** @type {Map<string, string>} */
  map = new Map();

  /** @param {string} name */
  getItem(name) {
    return this.map.get(name) ?? null;
  }

  /** @param {string} name @param {string} text */
  setItem(name, text) {
    this.map.set(name, text);
  }

  /** @param {string} name */
  removeItem(name) {
    this.map.delete(name);
  }
}

/** @type {{ path: string, body: any, token: string | null }[]} */
let asked = [];
/**
 * What the server answers by path, given body and token.
 * @type {Record<string, (body: any, token: string | null) => [number, any]>}
 */
let server = {};
const person = /** @type {any} */ ({ id: 1, name: "O", capabilities: [], client: null });

beforeEach(() => {
  for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(globalThis, name, { value: new Store(), configurable: true });
  }
  asked = [];
  server = {};
  globalThis.fetch = async (url, how) => {
    const token = /** @type {Record<string, string>} */ (how?.headers).Authorization ?? null;
    const body = how?.body ? JSON.parse(String(how.body)) : undefined;
    asked.push({ path: String(url), body, token });
    const [status, data] = server[String(url)](body, token);
    const headers = { "Content-Type": "application/json" };
    return new Response(data === null ? null : JSON.stringify(data), { status, headers });
  };
});

const local = () => localStorage.getItem("sync2gear.refresh");
const tab = () => sessionStorage.getItem("sync2gear.refresh");

test("a session is kept for the tab, or until one signs out", () => {
  adopt({ access: "a1", refresh: "r1", user: person }, { stay: false });
  assert.deepEqual([tab(), local(), phase.value], ["r1", null, "in"]);
  adopt({ access: "a1", refresh: "r1", user: person });
  assert.deepEqual([tab(), local()], [null, "r1"]);
});

test("a page that is loaded anew renews nothing that still works", async (here) => {
  const before = { ...caller };
  here.after(() => Object.assign(caller, before));
  adopt({ access: "a1", refresh: "r1", user: person });
  const file = "../session.js?anew"; // as a browser does it: what was in memory is gone
  const anew = await import(file);
  server["/api/auth/me/"] = (_, token) => (token === "Bearer a1" ? [200, person] : [401, {}]);
  await anew.look();
  assert.deepEqual([anew.phase.value, asked.map(({ path }) => path)], ["in", ["/api/auth/me/"]]);

  server["/api/auth/me/"] = (_, token) => (token === "Bearer a2" ? [200, person] : [401, {}]);
  server["/api/auth/refresh/"] = ({ refresh }) => (refresh === "r1" ? [200, { access: "a2", refresh: "r2" }] : [401, {}]);
  await anew.look();
  assert.deepEqual([anew.phase.value, local()], ["in", "r2"]);
});

test("many calls with a token that has expired renew it once", async () => {
  adopt({ access: "old", refresh: "r1", user: person });
  server["/api/auth/refresh/"] = ({ refresh }) =>
    refresh === "r1" ? [200, { access: "new", refresh: "r2" }] : [401, { code: "token_invalid" }];
  server["/api/floors/"] = (_, token) => (token === "Bearer new" ? [200, { results: [] }] : [401, {}]);
  await Promise.all([api.get("/api/floors/"), api.get("/api/floors/"), api.get("/api/floors/")]);
  assert.equal(asked.filter(({ path }) => path === "/api/auth/refresh/").length, 1);
  assert.equal(local(), "r2");
});

test("a tab that comes second goes on with what the first was given", async () => {
  adopt({ access: "old", refresh: "r1", user: person });
  server["/api/auth/refresh/"] = ({ refresh }) => {
    if (refresh === "r2") return [200, { access: "new", refresh: "r3" }];
    setTimeout(() => localStorage.setItem("sync2gear.refresh", "r2"), 20); // the other tab stores its pair
    return [401, { code: "token_invalid" }];
  };
  assert.equal(await caller.renewed("old"), "new");
  assert.deepEqual([local(), phase.value], ["r3", "in"]);
});

test("a session that has ended is forgotten; a server that is away ends none", async () => {
  adopt({ access: "a1", refresh: "r1", user: person });
  server["/api/auth/me/"] = () => [503, null];
  await look();
  assert.deepEqual([phase.value, local()], ["in", "r1"]);
  server["/api/auth/me/"] = () => [401, { code: "token_invalid" }];
  server["/api/auth/refresh/"] = () => {
    localStorage.removeItem("sync2gear.refresh"); // signed out in another tab
    return [401, { code: "token_invalid" }];
  };
  await look();
  assert.deepEqual([phase.value, local(), me.value], ["out", null, null]);
});

test("signing out with a token that has expired ends the session all the same", async () => {
  adopt({ access: "old", refresh: "r1", user: person });
  server["/api/auth/refresh/"] = () => [200, { access: "new", refresh: "r2" }];
  server["/api/auth/logout/"] = (_, token) => (token === "Bearer new" ? [204, null] : [401, {}]);
  await signOut();
  assert.deepEqual(asked.at(-1), { path: "/api/auth/logout/", body: { refresh: "r1" }, token: "Bearer new" });
  assert.deepEqual([phase.value, local()], ["out", null]);
});

test("signing out tells the server, and forgets even if it does not hear", async () => {
  adopt({ access: "a1", refresh: "r1", user: person });
  server["/api/auth/logout/"] = () => [503, null];
  await signOut();
  assert.deepEqual(asked, [{ path: "/api/auth/logout/", body: { refresh: "r1" }, token: "Bearer a1" }]);
  const kept = [localStorage, sessionStorage].map((each) => [.../** @type {any} */ (each).map.keys()]);
  assert.deepEqual([phase.value, kept], ["out", [[], []]]);
});
