/** Sounds on a page: heard one at a time, seen as a waveform. */

import { length, t } from "../i18n.js";
import { html, signal, useEffect, useState } from "../view.js";
import { IconButton } from "./button.js";

/** @typedef {{ url: string, playing: boolean, atMs: number, lengthMs: number, failed: boolean }} Heard */

/** What is heard now, by the address of its sound; null: nothing. */
export const heard = signal(/** @type {Heard | null} */ (null));

/** @type {HTMLAudioElement | null} */
let audio = null;

/** @returns {HTMLAudioElement} */
function element() {
  if (audio) return audio;
  const made = (audio = new Audio());
  const look = () => {
    if (!heard.value) return;
    const lengthMs = Number.isFinite(made.duration) ? made.duration * 1000 : heard.value.lengthMs;
    heard.value = {
      ...heard.value,
      playing: !made.paused,
      atMs: made.currentTime * 1000,
      lengthMs,
      failed: made.error !== null,
    };
  };
  for (const name of ["play", "pause", "timeupdate", "durationchange", "ended", "error", "seeked"])
    made.addEventListener(name, look);
  return made;
}

/** Plays a sound from an instant of it, instead of any other. @param {string} url @param {number} [fromMs] */
export function hear(url, fromMs) {
  const one = element();
  if (heard.value?.url !== url) {
    one.src = url;
    heard.value = { url, playing: false, atMs: 0, lengthMs: 0, failed: false };
  }
  if (fromMs !== undefined) one.currentTime = fromMs / 1000;
  one.play().catch(() => {
    if (heard.value?.url === url) heard.value = { ...heard.value, playing: false, failed: one.error !== null };
  });
}

/** Pauses what is heard. */
export const hush = () => audio?.pause();

/** Ends what is heard: the page is left. */
export function silence() {
  audio?.pause();
  heard.value = null;
}

const BARS = 96;
/** More than this is not decoded for a picture of it. */
const LARGEST_BYTES = 24_000_000;

/**
 * The loudest sample of each of `bars` equal parts, 0 to 1, the loudest of all being 1.
 * @param {Float32Array} samples
 * @param {number} bars
 */
export function peaksOf(samples, bars) {
  const width = samples.length / bars;
  const peaks = Array.from({ length: bars }, (_, bar) => {
    let most = 0;
    for (let at = Math.floor(bar * width); at < Math.floor((bar + 1) * width); at += 1)
      most = Math.max(most, Math.abs(samples[at]));
    return most;
  });
  const loudest = Math.max(...peaks) || 1;
  return peaks.map((peak) => peak / loudest);
}

/** @type {Map<string, Promise<number[] | null>>} */
const drawn = new Map();

/**
 * The waveform of a sound, or null for one that is too large or cannot be decoded here.
 * @param {string} url
 * @returns {Promise<number[] | null>}
 */
export function waveOf(url) {
  let wave = drawn.get(url);
  if (!wave) {
    wave = decoded(url).catch(() => null); // without a picture a sound can still be heard
    drawn.set(url, wave);
  }
  return wave;
}

/** @param {string} url */
async function decoded(url) {
  const answer = await fetch(url, { credentials: "omit" });
  if (!answer.ok || Number(answer.headers.get("Content-Length")) > LARGEST_BYTES) return null;
  const sound = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(await answer.arrayBuffer());
  return peaksOf(sound.getChannelData(0), BARS);
}

/**
 * A sound to be heard: play, waveform to jump in, time. The waveform is fetched once the sound is played, or at once
 * with `eager`.
 * @param {{ url: string, label: string, lengthMs?: number, eager?: boolean }} props `label` names the sound
 */
export function Player({ url, label, lengthMs = 0, eager = false }) {
  const [wave, setWave] = useState(/** @type {number[] | null} */ (null));
  const mine = heard.value?.url === url ? heard.value : null;
  const wanted = eager || mine !== null;
  useEffect(() => {
    let there = true;
    if (wanted) void waveOf(url).then((peaks) => there && setWave(peaks));
    return () => {
      there = false;
    };
  }, [url, wanted]);
  useEffect(
    () => () => {
      if (heard.value?.url === url) silence();
    },
    [url],
  );
  const whole = mine?.lengthMs || lengthMs;
  const share = mine && whole ? mine.atMs / whole : 0;
  const press = {
    icon: mine?.playing ? "pause" : "play",
    label: t(mine?.playing ? "common.pause_of" : "common.play_of", { name: label }),
    onClick: () => (mine?.playing ? hush() : hear(url)),
  };
  const seek = (/** @type {number} */ to) => hear(url, to * whole);
  const place = { share, atMs: mine?.atMs ?? 0, lengthMs: whole };
  return html`<div class="player">
    <${IconButton} kind="primary" ...${press} />
    <${Wave} peaks=${wave} label=${t("common.position_of", { name: label })} ...${place} onSeek=${seek} />
    <span class="number small quiet">${mine ? `${length(mine.atMs)} / ` : ""}${length(whole)}</span>
    ${mine?.failed && html`<span class="small bad" role="alert">${t("common.not_playable")}</span>`}
  </div>`;
}

/**
 * The picture of a sound, in which one can jump with the pointer and the arrow keys.
 * @param {{ peaks: number[] | null, share: number, label: string, atMs: number, lengthMs: number, onSeek: (share:
 *   number) => void }} props
 */
export function Wave({ peaks, share, label, atMs, lengthMs, onSeek }) {
  const bars = peaks ?? Array.from({ length: BARS }, () => 0.08);
  const seek = (/** @type {MouseEvent} */ event) => {
    const box = /** @type {SVGElement} */ (event.currentTarget).getBoundingClientRect();
    if (lengthMs) onSeek(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 5000, ArrowLeft: -5000 }[event.key];
    if (!by || !lengthMs) return;
    event.preventDefault();
    onSeek(Math.min(1, Math.max(0, (atMs + by) / lengthMs)));
  };
  const state = {
    role: "slider",
    tabindex: 0,
    "aria-label": label,
    "aria-valuemin": 0,
    "aria-valuemax": Math.round(lengthMs / 1000),
    "aria-valuenow": Math.round(atMs / 1000),
    "aria-valuetext": length(atMs),
    onClick: seek,
    onKeyDown: keys,
  };
  const bar = (/** @type {number} */ peak, /** @type {number} */ index) => {
    const high = Math.max(2, peak * 42);
    const box = { x: index * 3, y: 22 - high / 2, width: 2, height: high, rx: 1 };
    return html`<rect key=${index} class=${index / BARS < share ? "played" : ""} ...${box} />`;
  };
  return html`<svg class="wave" viewBox=${`0 0 ${BARS * 3} 44`} preserveAspectRatio="none" ...${state}>
    ${bars.map(bar)}
  </svg>`;
}
