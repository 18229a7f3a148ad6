/**
 * The page when nobody has touched it for a while: dark, so that it neither lights the shop at night nor wears out the
 * screen, and each minute somewhere else, so that none keeps a shadow of it. What plays goes on.
 */

import { t, time } from "../../common/i18n.js";
import { keep, kept } from "../../common/stored.js";
import { Icon } from "../../common/ui/icon.js";
import { html, signal, useEffect, useState } from "../../common/view.js";

/** @typedef {import("./glance.js").Glance} Glance */

/** Minutes without a touch until it rests, as they are offered; 0: never. */
export const REST_AFTER = [1, 5, 30, 0];
const NAME = "rest";
const USUAL_MIN = 5;

/** What was chosen, in minutes. */
export const restAfter = signal(Number(kept(NAME) ?? USUAL_MIN));

/** @param {number} minutes */
export function chooseRest(minutes) {
  restAfter.value = minutes;
  keep(NAME, String(minutes));
}

const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel"];

/** Whether the page rests. */
export function useRest() {
  const [resting, setResting] = useState(false);
  const minutes = restAfter.value;
  useEffect(() => {
    /** @type {any} */
    let timer = 0;
    const wake = () => {
      clearTimeout(timer);
      setResting(false);
      if (minutes) timer = setTimeout(() => setResting(true), minutes * 60_000);
    };
    wake();
    for (const name of TOUCHES) addEventListener(name, wake);
    return () => {
      clearTimeout(timer);
      for (const name of TOUCHES) removeEventListener(name, wake);
    };
  }, [minutes]);
  return resting;
}

const PLACES = ["start", "center", "end"];

/**
 * Where it stands at an instant: all nine places of the screen in turn, a minute each, next to each other at no time.
 * @param {number} at µs UTC
 */
export function placeAt(at) {
  const place = (Math.floor(at / 60_000_000) * 4) % 9;
  return { justifyItems: PLACES[place % 3], alignItems: PLACES[Math.floor(place / 3)] };
}

/**
 * The clock, what sounds, and whatever is not well.
 * @param {{ glance: Glance, title: string, wrong: string[] }} props
 */
export function Resting({ glance, title, wrong }) {
  return html`<button type="button" class="rest" style=${placeAt(glance.clock.at)} aria-label=${t("speaker.rest.wake")}>
    <span class="rest-words">
      <span class="clock number">${time(glance.clock.at / 1000, { zone: glance.clock.zone })}</span>
      <span class="row"><${Icon} name=${glance.now.kind === "silent" ? "mute" : "music"} />${title}</span>
      ${wrong.map((words) => html`<span key=${words} class="row"><${Icon} name="warning" />${words}</span>`)}
    </span>
  </button>`;
}
