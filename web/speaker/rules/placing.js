/**
 * Where announcements that meet find their place on one speaker: pure geometry of spans, in µs.
 *
 * The same precedence as the server's planning: emergency > instant > timeline > interval > playlist; of equals the one
 * due first, then the smaller event id. In that order each is put at the first instant, from its due time on, at which
 * it fits whole between those placed before. What is in the output's hands already yields to an emergency alone.
 */

/** @typedef {"emergency" | "instant" | "timeline" | "interval" | "playlist"} Priority */

/** @type {Record<Priority, number>} */
export const RANK = { emergency: 0, instant: 1, timeline: 2, interval: 3, playlist: 4 };

/**
 * What wants a place: not before `earliest`, for `duration`, and not from `expires_at` on.
 * @typedef {{event_id: string, priority: Priority, due_at: number, earliest: number, duration: number,
 *   expires_at: number}} Claim
 */
/** A stretch that is taken. @typedef {{start: number, end: number, emergency: boolean}} Span */
/** Where a claim stands, and whether it had to give way. @typedef {{start: number, held: boolean}} Place */

/**
 * Sorts by the first number that differs, then by id: a total order.
 * @param {{priority: Priority, due_at: number, event_id: string}} a
 * @param {{priority: Priority, due_at: number, event_id: string}} b
 */
export function byPrecedence(a, b) {
  return RANK[a.priority] - RANK[b.priority] || a.due_at - b.due_at || (a.event_id < b.event_id ? -1 : 1);
}

/**
 * The place of each claim by its event id; those that find none before their expiry hold up nobody.
 * @param {readonly Claim[]} claims
 * @param {readonly Span[]} taken
 * @returns {Map<string, Place>}
 */
export function place(claims, taken) {
  /** @type {Map<string, Place>} */
  const places = new Map();
  let spans = [...taken];
  for (const claim of [...claims].sort(byPrecedence)) {
    const urgent = claim.priority === "emergency";
    let start = claim.earliest;
    for (const span of [...spans].sort((a, b) => a.start - b.start)) {
      const meets = span.start < start + claim.duration && start < span.end;
      if ((span.emergency || !urgent) && meets) start = span.end;
    }
    places.set(claim.event_id, { start, held: start > claim.earliest });
    if (start < claim.expires_at) {
      if (urgent) spans = spans.map((span) => cut(span, start));
      spans.push({ start, end: start + claim.duration, emergency: urgent });
    }
  }
  return places;
}

/**
 * What an emergency at `at` leaves of a span that it meets.
 * @param {Span} span
 * @param {number} at
 * @returns {Span}
 */
function cut(span, at) {
  if (span.emergency || at < span.start || at >= span.end) return span;
  return { ...span, end: at };
}
