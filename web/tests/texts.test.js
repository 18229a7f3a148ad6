/** Texts: each language has every text, with the same places; none is missing, none is there for nobody. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { said } from "../common/problems.js";

const web = new URL("../", import.meta.url).pathname;
const sources = ["common", "dashboard", "speaker"]
  .flatMap((part) => readdirSync(join(web, part), { recursive: true }).map((path) => join(part, String(path))))
  .filter((path) => path.endsWith(".js") && !path.includes("tests/"));
const folders = sources.filter((path) => path.endsWith("/en.js")).map((path) => dirname(path));

/** @typedef {import("../common/i18n.js").Texts} Texts */

/** @type {Record<"en" | "de", Texts>} */
const all = { en: {}, de: {} };
for (const folder of folders) {
  for (const language of /** @type {const} */ (["en", "de"])) {
    const { default: texts } = await import(join(web, folder, `${language}.js`));
    for (const key of Object.keys(texts)) assert.ok(!(key in all[language]), `${key} stands twice`);
    Object.assign(all[language], texts);
  }
}

const code = sources
  .filter((path) => !/\/(en|de)\.js$/.test(path))
  .map((path) => readFileSync(join(web, path), "utf8"))
  .join("\n");

/** @param {import("../common/i18n.js").Text} text */
const places = (text) => [...new Set(JSON.stringify(text).match(/\{\w+\}/g))].sort().join(" ");

test("both languages have the same texts with the same places", () => {
  assert.ok(folders.length > 1);
  assert.deepEqual(Object.keys(all.de).sort(), Object.keys(all.en).sort());
  for (const [key, text] of Object.entries(all.en)) {
    assert.equal(places(all.de[key]), places(text), key);
    assert.equal(typeof all.de[key], typeof text, key);
  }
});

test("no text that is asked for is missing", () => {
  const asked = [...code.matchAll(/\bt\(\s*["']([^"']+)["']/g)].map(([, key]) => key);
  assert.ok(asked.length > 50);
  assert.deepEqual(
    [...new Set(asked)].filter((key) => !(key in all.en)),
    [],
  );
});

test("no text is there for nobody", () => {
  const begun = [...code.matchAll(/`([a-z_]+\.[a-z0-9_.]*)\$\{/g)].map(([, beginning]) => beginning);
  const idle = Object.keys(all.en).filter(
    (key) => !code.includes(`"${key}"`) && !begun.some((beginning) => key.startsWith(beginning)),
  );
  assert.deepEqual(idle, []);
});

test("every code of the server is said in German", async () => {
  const { default: german } = await import("../common/problems.de.js");
  const page = readFileSync(join(web, "../docs/errors.md"), "utf8");
  const codes = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
  assert.ok(codes.length > 60);
  assert.deepEqual(codes.filter((code) => !(code in german)), []);
});

test("every code that the server's own rules give a field is said in German", async () => {
  const { default: german } = await import("../common/problems.de.js");
  const backend = join(web, "../backend");
  const rules = readdirSync(backend, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith(".py") && !/(^|\/)(tests|migrations|testing)\//.test(path))
    .map((path) => readFileSync(join(backend, path), "utf8"))
    .join("\n");
  const raised = /\b(?:invalid|field_error)\(\s*[^,()]+,\s*"(\w+)"|\bcode="(\w+)"/g;
  const codes = [...rules.matchAll(raised)].map(([, one, other]) => one ?? other);
  assert.ok(new Set(codes).size > 25);
  assert.deepEqual([...new Set(codes)].filter((code) => !(code in german)), []);
});

test("a number that the server names is named in German too", () => {
  const table = {
    max_value: "Höchstens {n}.",
    "ohne.max_value": "Zu viel.",
    quiet_hours: "Ruhezeit.",
    "feld.quiet_hours": "Anfang und Ende.",
  };
  assert.equal(said(table, "max_value", "Ensure this value is less than or equal to 1440."), "Höchstens 1440.");
  assert.equal(said(table, "max_value", "Too much."), "Zu viel.");
  assert.equal(said(table, "quiet_hours", "It is quiet hours."), "Ruhezeit.");
  assert.equal(said(table, "quiet_hours", "Give both.", "quiet_hours_end"), "Anfang und Ende.");
  assert.equal(said(table, "another", "Something else."), undefined);
});
