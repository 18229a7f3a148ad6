/** Two people change the same thing: what each has changed, and both together. Pure. */

/** Whether two values of a form are the same; a file only if it is that very one. @param {unknown} one @param {unknown} other */
const same = (one, other) => one === other || (!(one instanceof Blob) && JSON.stringify(one) === JSON.stringify(other));

/**
 * The names of what differs.
 * @param {Record<string, any>} before
 * @param {Record<string, any>} after
 */
export function changed(before, after) {
  return Object.keys(after).filter((name) => !same(before[name], after[name]));
}

/**
 * What I have typed, over what is there now: where I changed nothing, theirs.
 * @template {Record<string, any>} T
 * @param {T} base what I began with
 * @param {T} theirs what is there now
 * @param {T} mine
 * @returns {T}
 */
export function merged(base, theirs, mine) {
  const own = changed(base, mine).map((name) => [name, mine[name]]);
  return { ...theirs, ...Object.fromEntries(own) };
}
