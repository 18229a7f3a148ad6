/** Rules of announcements that need no page: voices in an order to choose from, earlier wordings, how long words take. Pure. */

/** @typedef {import("../../.types/api.js").components["schemas"]["Voice"]} Voice */

/** Words a minute of speech, as the API reckons too. */
const WORDS_A_MINUTE = 150;

/** How long words take to be spoken, about, in seconds. @param {string} text */
export function spokenSeconds(text) {
  const words = text.trim().split(/\s+/).filter(Boolean).length;
  return Math.round((words * 60) / WORDS_A_MINUTE);
}

/**
 * The voices that speak a language, the best first; with none that does, all.
 * @param {Voice[]} voices
 * @param {string} language BCP 47; of `en-GB` the first part counts
 */
export function voicesFor(voices, language) {
  const wanted = language.toLowerCase().split("-")[0];
  const speak = voices.filter((voice) => voice.language === "mul" || voice.language.toLowerCase().split("-")[0] === wanted);
  return [...(speak.length ? speak : voices)].sort((one, other) => other.quality - one.quality || one.name.localeCompare(other.name));
}

/**
 * @typedef {object} Wording an earlier wording of an announcement
 * @property {number} id of its entry in the audit log
 * @property {string} text
 * @property {string} at until when it was the wording
 * @property {string} by who changed it
 */

/**
 * The wordings that an announcement has had, the latest first, out of the entries of the audit log that changed it.
 * @param {{ id: number, timestamp: string, actor_name: string, details: any }[]} entries the newest first
 * @param {string} present its wording now
 * @returns {Wording[]}
 */
export function wordings(entries, present) {
  const seen = new Set([present.trim()]);
  return entries.flatMap(({ id, timestamp, actor_name, details }) => {
    const text = details?.before?.text;
    if (typeof text !== "string" || !text.trim() || seen.has(text.trim())) return [];
    seen.add(text.trim());
    return [{ id, text, at: timestamp, by: actor_name }];
  });
}
