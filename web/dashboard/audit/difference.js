/** What an entry of the trail changed, so that it can be read: which columns, and of a list what came and what went. */

/** @typedef {{ name: string, before: string[], after: string[] }} Line values that are there on one side alone */

/** A value in words; lists and objects without their brackets. @param {any} value @returns {string} */
export function inWords(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.length ? value.map(inWords).join(", ") : "–";
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([name, each]) => `${named(name)} ${inWords(each)}`)
    .join(", ");
}

/** A column as people write it. @param {string} name */
export const named = (name) => name.replaceAll("_", " ");

/** A value as the lines that it has: a list has one for each of its elements. @param {any} value */
const linesOf = (value) => (Array.isArray(value) ? value.map(inWords) : value === undefined ? [] : [inWords(value)]);

/**
 * The columns that differ; of those that hold lists only the elements that came or went, or all if their order changed.
 * @param {Record<string, any>} [before] of a row that is new: nothing
 * @param {Record<string, any>} [after] of a row that is gone: nothing
 * @returns {Line[]}
 */
export function difference(before = {}, after = {}) {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const [was, is] = [linesOf(before[name]), linesOf(after[name])];
    if (was.join("\n") === is.join("\n") && name in before && name in after) return [];
    const [went, came] = [was.filter((each) => !is.includes(each)), is.filter((each) => !was.includes(each))];
    return [went.length || came.length ? { name, before: went, after: came } : { name, before: was, after: is }];
  });
}
