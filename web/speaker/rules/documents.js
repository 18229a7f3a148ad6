/**
 * JSON documents checked field by field. A reader is a function of (value, path) that returns the value or throws
 * `DocumentError`. Unknown fields are left out, as the protocol asks, so that a newer server can add some.
 */

/** A document lacks a field or holds one of the wrong type; the message names its path. */
export class DocumentError extends Error {}

/**
 * @template T
 * @typedef {(value: unknown, path: string) => T} Reader
 */

/** @type {Reader<string>} */
export function text(value, path) {
  if (typeof value !== "string") throw new DocumentError(`${path}: expected a text`);
  return value;
}

/** A whole number within ±(2^53 − 1). @type {Reader<number>} */
export function integer(value, path) {
  if (!Number.isSafeInteger(value)) throw new DocumentError(`${path}: expected an integer`);
  return /** @type {number} */ (value);
}

/** @type {Reader<number>} */
export function decimal(value, path) {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new DocumentError(`${path}: expected a number`);
  return value;
}

/** @type {Reader<boolean>} */
export function flag(value, path) {
  if (typeof value !== "boolean") throw new DocumentError(`${path}: expected true or false`);
  return value;
}

/**
 * One of these texts.
 * @template {string} T
 * @param {...T} values
 * @returns {Reader<T>}
 */
export function oneOf(...values) {
  return (value, path) => {
    if (!values.includes(/** @type {T} */ (value))) throw new DocumentError(`${path}: expected ${values.join(", ")}`);
    return /** @type {T} */ (value);
  };
}

/**
 * A list of them.
 * @template T
 * @param {Reader<T>} reader
 * @returns {Reader<T[]>}
 */
export function listOf(reader) {
  return (value, path) => {
    if (!Array.isArray(value)) throw new DocumentError(`${path}: expected a list`);
    return value.map((each, at) => reader(each, `${path}[${at}]`));
  };
}

/**
 * It, or `otherwise` where the field is missing or null.
 * @template T
 * @param {Reader<T>} reader
 * @param {T} otherwise
 * @returns {Reader<T>}
 */
export function optional(reader, otherwise) {
  return (value, path) => (value === undefined || value === null ? otherwise : reader(value, path));
}

/**
 * It, or null where the field is missing.
 * @template T
 * @param {Reader<T>} reader
 * @returns {Reader<T | null>}
 */
export function nullable(reader) {
  return (value, path) => (value === undefined || value === null ? null : reader(value, path));
}

/**
 * An object of these fields.
 * @template {Record<string, Reader<any>>} S
 * @param {S} schema
 * @returns {Reader<{[K in keyof S]: ReturnType<S[K]>}>}
 */
export function shape(schema) {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new DocumentError(`${path || "document"}: expected an object`);
    }
    const given = /** @type {Record<string, unknown>} */ (value);
    const read = Object.entries(schema).map(([name, reader]) => {
      return [name, reader(given[name], path ? `${path}.${name}` : name)];
    });
    return Object.fromEntries(read);
  };
}
