/** Where something is to sound: everywhere, on some floors, on single speakers. */

import "./texts.js";
import { t } from "../../common/i18n.js";
import { devices } from "../../common/live.js";
import { Icon, SearchField } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */

/** Floors and speakers by their ids; none of both is everywhere. @typedef {{ floors: number[], devices: number[] }} Places */

/** @type {Places} */
export const EVERYWHERE = { floors: [], devices: [] };

/** From so many speakers on there is a field to search them. */
const MANY = 8;

/** Places in the words of the API. @param {Places} places */
export function addressed({ floors, devices }) {
  if (!floors.length && !devices.length) return { all: true };
  return { ...(floors.length && { floors }), ...(devices.length && { devices }) };
}

/** Puts an id in, or takes it out. @param {number[]} ids @param {number} id */
const flipped = (ids, id) => (ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id]);

/**
 * Places in a person's words: “Everywhere”, “Bakery, Cellar and 2 speakers”.
 * @param {Places} places
 * @param {{ id: number, name: string }[]} floors
 * @param {{ id: number, name: string }[]} speakers
 */
export function inWords(places, floors, speakers) {
  if (!places.floors.length && !places.devices.length) return floors.length === 1 ? floors[0].name : t("now.everywhere");
  const names = floors.filter((floor) => places.floors.includes(floor.id)).map((floor) => floor.name);
  const single = speakers.filter((speaker) => places.devices.includes(speaker.id)).map((speaker) => speaker.name);
  const last = single.length > 2 ? [t("now.n_speakers", { n: single.length })] : single;
  return [...names, ...last].join(", ");
}

/**
 * The field: floors to press, speakers below.
 * @param {{ places: Places, onPlaces: (places: Places) => void, floors: Floor[] }} props
 */
export function Where({ places, onPlaces, floors }) {
  const [typed, setTyped] = useState("");
  const all = !places.floors.length && !places.devices.length;
  const single = [...devices.value.values()]
    .filter((each) => !places.floors.includes(each.floor))
    .sort((one, other) => one.name.localeCompare(other.name));
  const wanted = typed.trim().toLowerCase();
  const names = new Map(floors.map((floor) => [floor.id, floor.name]));
  const found = single.filter((each) => `${each.name} ${names.get(each.floor) ?? ""}`.toLowerCase().includes(wanted));
  const chip = (/** @type {string} */ text, /** @type {boolean} */ on, /** @type {() => void} */ press) =>
    html`<button type="button" class="now-chip" aria-pressed=${on ? "true" : "false"} onClick=${press}>
      ${on && html`<${Icon} name="check" />`}${text}</button>`;
  const flip = (/** @type {number} */ id) => {
    const next = flipped(places.floors, id);
    const there = new Set([...devices.value.values()].filter((each) => next.includes(each.floor)).map((each) => each.id));
    onPlaces({ floors: next, devices: places.devices.filter((each) => !there.has(each)) }); // they are of that floor
  };
  return html`<fieldset class="stack tight"><legend class="strong">${t("now.where")}</legend>
    <div class="now-chips">
      ${chip(t("now.everywhere"), all, () => onPlaces(EVERYWHERE))}
      ${floors.length > 1 && floors.map((floor) => chip(floor.name, places.floors.includes(floor.id), () => flip(floor.id)))}
    </div>
    ${single.length > 1 && html`<details open=${places.devices.length > 0}><summary>${t("now.single_speakers")}</summary>
      <div class="stack tight">
        ${single.length >= MANY && html`<${SearchField} label=${t("now.search_speakers")} value=${typed} onValue=${setTyped} />`}
        <div class="now-chips now-single">${found.map((each) => chip(floors.length > 1 ? t("now.one_speaker", { floor: names.get(each.floor) ?? "", name: each.name }) : each.name,
          places.devices.includes(each.id), () => onPlaces({ ...places, devices: flipped(places.devices, each.id) })))}</div>
      </div></details>`}
  </fieldset>`;
}
