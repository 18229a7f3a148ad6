import assert from "node:assert/strict";
import { test } from "node:test";
import { addTexts, duration, language, length, relative, size, spoken, t, time, weekdayName } from "../i18n.js";

test("the first language that we speak, else English", () => {
  assert.equal(spoken([null, "fr-FR", "de-AT", "en"]), "de");
  assert.equal(spoken(["fr", "it"]), "en");
});

test("texts have places and plurals, and follow the language", () => {
  addTexts({
    en: { "x.n": { one: "{n} speaker of {name}", other: "{n} speakers of {name}" } },
    de: { "x.n": { one: "{n} Lautsprecher von {name}", other: "{n} Lautsprecher von {name}" } },
  });
  language.value = "en";
  assert.equal(t("x.n", { n: 1, name: "A" }), "1 speaker of A");
  assert.equal(t("x.n", { n: 1200, name: "A" }), "1,200 speakers of A");
  language.value = "de";
  assert.equal(t("x.n", { n: 1200, name: "A" }), "1.200 Lautsprecher von A");
  assert.equal(t("x.n", { n: 2 }), "2 Lautsprecher von {name}");
  const unknown = "x.unknown";
  assert.equal(t(unknown), unknown);
  language.value = "en";
});

test("lengths, sizes, times", () => {
  assert.deepEqual([187_000, 3_723_000, -5].map(length), ["3:07", "1:02:03", "0:00"]);
  assert.deepEqual([0, 59, 60, 3599, 3600, 7800, 86_400, 97_199].map(duration), [
    "0 sec",
    "59 sec",
    "1 min",
    "59 min",
    "1 hr",
    "2 hr 10 min",
    "1 day",
    "1 day 2 hr",
  ]);
  assert.equal(size(5_250_000), "5.3 MB");
  assert.equal(time("2026-11-23T12:05:09Z", { zone: "Europe/Berlin" }).slice(0, 5), "01:05");
  language.value = "de";
  assert.equal(time("2026-11-23T12:05:09Z", { zone: "Europe/Berlin", seconds: true }), "13:05:09");
  assert.deepEqual([weekdayName(1), weekdayName(7, "long")], ["Mo", "Sonntag"]);
  language.value = "en";
  const now = Date.parse("2026-11-23T12:00:00Z");
  assert.equal(relative(now + 5 * 60_000, now), "in 5 minutes");
  assert.equal(relative(now - 26 * 3_600_000, now), "yesterday");
  assert.equal(relative(now, now), "now");
});
