/** How a speaker's time is drawn as a strip, and said in words. Pure. */

/**
 * A stretch of a strip: `x` and `width` are shares of the whole, `share` is how much of it the speaker was away.
 * `none`: nobody listened, or it was not known yet.
 * @typedef {{ kind: "there" | "away" | "none", x: number, width: number, share: number, from: number, to: number, away: number }} Stretch
 */

/**
 * The stretches of a strip, in order; neighbours that are alike are one, but each part in which it was away stands alone.
 * @param {string[]} parts when each begins, ISO 8601 @param {string} end
 * @param {number[]} counted seconds of each part that count @param {number[]} away seconds of those that it was away
 * @returns {Stretch[]}
 */
export function stretches(parts, end, counted, away) {
  const edges = [...parts, end].map((edge) => Date.parse(edge));
  const [first, whole] = [edges[0], edges[edges.length - 1] - edges[0]];
  /** @type {Stretch[]} */
  const found = [];
  parts.forEach((_, index) => {
    const [from, to] = [edges[index], edges[index + 1]];
    const kind = away[index] ? "away" : counted[index] ? "there" : "none";
    const last = found.at(-1);
    if (last && kind !== "away" && last.kind === kind) {
      last.to = to;
      last.width = (to - last.from) / whole;
    } else if (to > from) {
      const share = counted[index] ? away[index] / counted[index] : 0;
      found.push({ kind, x: (from - first) / whole, width: (to - from) / whole, share, from, to, away: away[index] });
    }
  });
  return found;
}

/** A share that is whole only if nothing is missing of it. @param {number} share */
export const honest = (share) => (share < 1 ? Math.min(0.999, share) : share);
