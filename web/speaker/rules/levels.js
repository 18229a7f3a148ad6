/**
 * Levels, and the music's level under announcements as a function of time alone.
 *
 * For each announcement the gain is a trapezoid, linear in amplitude as the server draws it: down over `FADE_DOWN_US`
 * so that it has arrived when the announcement starts, back over `FADE_BACK_US` after its end. Several at once: the
 * deepest counts. Since it depends on nothing but instants, all speakers of a floor duck alike.
 */

export const FADE_DOWN_US = 500_000;
export const FADE_BACK_US = 1_500_000;

/**
 * The music stands at `depth_db` during `[start_at, end_at)` (µs UTC).
 * @typedef {{start_at: number, end_at: number, depth_db: number}} Duck
 */

const SILENT_DB = -120;

/** Amplitude of a level in dB; −120 dB and below is silence. @param {number} db */
export const gainOfDb = (db) => (db <= SILENT_DB ? 0 : 10 ** (db / 20));

/** Amplitude of a volume 0–100: the square law (v/100)², so 75 is −5 dB, 50 −12 dB. @param {number} volume */
export const gainOfVolume = (volume) => (Math.min(100, Math.max(0, volume)) / 100) ** 2;

/**
 * The music's gain at an instant, 0 to 1.
 * @param {readonly Duck[]} ducks
 * @param {number} instant µs UTC
 */
export const musicGain = (ducks, instant) => Math.min(1, ...ducks.map((duck) => trapezoid(duck, instant)));

/** @param {Duck} duck @param {number} instant */
function trapezoid(duck, instant) {
  const depth = gainOfDb(duck.depth_db);
  const away = Math.max((duck.start_at - instant) / FADE_DOWN_US, (instant - duck.end_at) / FADE_BACK_US, 0);
  return depth + (1 - depth) * Math.min(1, away);
}

/** On the slopes of the ducks the gain is told this often. */
const STEP_US = 10_000;

/**
 * The music's gain from `from` to `to` as points of a line drawn straight between them.
 * @param {readonly Duck[]} ducks
 * @param {number} from µs UTC
 * @param {number} to
 * @returns {{at: number, gain: number}[]}
 */
export function duckLine(ducks, from, to) {
  const instants = new Set([from, to]);
  for (const { start_at, end_at } of ducks) {
    for (let at = start_at - FADE_DOWN_US; at <= start_at; at += STEP_US) instants.add(at);
    for (let at = end_at; at <= end_at + FADE_BACK_US; at += STEP_US) instants.add(at);
  }
  const wanted = [...instants].filter((at) => at >= from && at <= to).sort((a, b) => a - b);
  return wanted.map((at) => ({ at, gain: musicGain(ducks, at) }));
}
