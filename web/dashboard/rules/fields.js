/** Fields that several rules have: weekdays, quiet hours, and where a rule holds; and the same in words. */

import { withQuery } from "../../common/api.js";
import { addTexts, t, weekdayName } from "../../common/i18n.js";
import { useQuery, useSettled } from "../../common/query.js";
import { Notice, SearchField, Switch, TextField } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import de from "./de.js";
import en from "./en.js";

addTexts({ en, de });

/** ISO weekdays, 1 Monday to 7 Sunday. */
export const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];

/**
 * Which days of the week; a list without any means every day.
 * @param {{ value: number[], onValue: (days: number[]) => void, error?: string }} props
 */
export function Weekdays({ value, onValue, error }) {
  const on = value.length ? value : WEEKDAYS;
  const toggle = (/** @type {number} */ day) => {
    const next = on.includes(day) ? on.filter((each) => each !== day) : [...on, day].sort();
    if (next.length) onValue(next.length === WEEKDAYS.length ? [] : next);
  };
  return html`
    <fieldset class="field">
      <legend>${t("rules.days")}</legend>
      <div class="rules-days">
        ${WEEKDAYS.map(
          (day) => html`
            <label key=${day} title=${weekdayName(day, "long")}>
              <input
                type="checkbox"
                checked=${on.includes(day)}
                aria-label=${weekdayName(day, "long")}
                onChange=${() => toggle(day)}
              />
              <span>${weekdayName(day)}</span>
            </label>
          `,
        )}
        <span class="small quiet">${daysInWords(value)}</span>
      </div>
      ${
        error &&
        html`
          <span class="wrong" role="alert">${error}</span>
        `
      }
    </fieldset>
  `;
}

/** Days of the week in few words. @param {number[]} days */
export function daysInWords(days) {
  if (!days.length || days.length === WEEKDAYS.length) return t("rules.all_days");
  return days.join() === "1,2,3,4,5" ? t("rules.weekdays") : days.map((day) => weekdayName(day)).join(", ");
}

/**
 * @typedef {{ quiet_hours_start: string | null, quiet_hours_end: string | null }} Quiet a wall clock's HH:MM, or
 *   seconds too
 */

/** What is offered first, and none. @type {Quiet} */
const AT_NIGHT = { quiet_hours_start: "20:00", quiet_hours_end: "08:00" };
/** @type {Quiet} */
const NEVER = { quiet_hours_start: null, quiet_hours_end: null };

/**
 * Quiet hours, or none.
 * @param {{ value: Quiet, onValue: (quiet: Quiet) => void, error?: string, hint?: string }} props
 */
export function QuietHours({ value, onValue, error, hint }) {
  const on = value.quiet_hours_start !== null;
  const put = (/** @type {Partial<Quiet>} */ some) =>
    onValue({ quiet_hours_start: value.quiet_hours_start, quiet_hours_end: value.quiet_hours_end, ...some });
  return html`
    <div class="stack tight">
      <${Switch}
        checkbox
        label=${t("rules.quiet")}
        hint=${hint ?? t("rules.quiet_hint")}
        checked=${on}
        onValue=${(/** @type {boolean} */ wanted) => onValue(wanted ? AT_NIGHT : NEVER)}
      />
      ${
        on &&
        html`
          <div class="rules-quiet">
            <${TextField}
              type="time"
              label=${t("rules.quiet_from")}
              value=${(value.quiet_hours_start ?? "").slice(0, 5)}
              onValue=${(/** @type {string} */ at) => put({ quiet_hours_start: at })}
            />
            <${TextField}
              type="time"
              label=${t("rules.quiet_to")}
              value=${(value.quiet_hours_end ?? "").slice(0, 5)}
              onValue=${(/** @type {string} */ at) => put({ quiet_hours_end: at })}
            />
          </div>
        `
      }
      ${
        error &&
        html`
          <span class="small bad" role="alert">${error}</span>
        `
      }
    </div>
  `;
}

/** Quiet hours in few words; empty without any. @param {Quiet} rule */
export function quietInWords({ quiet_hours_start: from, quiet_hours_end: to }) {
  return from && to ? t("rules.quiet_span", { from: from.slice(0, 5), to: to.slice(0, 5) }) : "";
}

/** From so many speakers on there is a field to search them. */
const MANY = 12;

/** Puts an id in, or takes it out. @param {number[]} ids @param {number} id */
const flip = (ids, id) => (ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id]);

/** @typedef {{ id: number, name: string }} Named */
/** @typedef {Named & { floor: number | null, floor_name?: string | null }} Speaker */

/**
 * Where a rule holds: whole floors and, if `devices` are given, single speakers.
 * @param {{ floors: Named[], chosen: number[], onFloors: (ids: number[]) => void, error?: string,
 *   devices?: Speaker[], chosenDevices?: number[], onDevices?: (ids: number[]) => void }} props
 */
export function Places({ floors, chosen, onFloors, error, devices, chosenDevices = [], onDevices }) {
  return html`
    <div class="stack tight">
      <fieldset class="field">
        <legend>${t("rules.floors")}</legend>
        ${
          floors.length
            ? html`
                <div class="rules-places">
                  ${floors.map(
                    (floor) => html`
                      <${Switch}
                        key=${floor.id}
                        checkbox
                        label=${floor.name}
                        checked=${chosen.includes(floor.id)}
                        onValue=${() => onFloors(flip(chosen, floor.id))}
                      />
                    `,
                  )}
                </div>
              `
            : html`
                <${Notice}>${t("rules.no_floors")}<//>
              `
        }
      </fieldset>
      ${
        devices &&
        devices.length > 0 &&
        html`
          <${Single} devices=${devices} floors=${chosen} chosen=${chosenDevices} onChosen=${onDevices ?? (() => {})} />
        `
      }
      ${
        error &&
        html`
          <span class="small bad" role="alert">${error}</span>
        `
      }
    </div>
  `;
}

/**
 * Single speakers, beside those of whole floors; with many, the API finds them by what is typed.
 * @param {{ devices: Speaker[], floors: number[], chosen: number[], onChosen: (ids: number[]) => void }} props
 */
function Single({ devices, floors, chosen, onChosen }) {
  const [typed, setTyped] = useState("");
  const wanted = useSettled(typed.trim());
  const asked = wanted && withQuery("/api/devices/", { search: wanted, ordering: "name", page_size: 50 });
  const found = useQuery(asked || null);
  const offered = /** @type {Speaker[]} */ (wanted ? (found.data?.results ?? []) : devices);
  const apart = offered.filter((device) => device.floor === null || !floors.includes(device.floor));
  return html`
    <details open=${chosen.length > 0}>
      <summary>${t("rules.speakers")}${chosen.length > 0 && ` (${chosen.length})`}</summary>
      <p class="small quiet">${t("rules.speakers_hint")}</p>
      ${
        devices.length >= MANY &&
        html`
          <${SearchField} label=${t("rules.search_speakers")} value=${typed} onValue=${setTyped} />
        `
      }
      <div class="rules-places">
        ${apart.map(
          (device) => html`
            <${Switch}
              key=${device.id}
              checkbox
              label=${device.name}
              hint=${device.floor_name}
              checked=${chosen.includes(device.id)}
              onValue=${() => onChosen(flip(chosen, device.id))}
            />
          `,
        )}
      </div>
    </details>
  `;
}

/**
 * Where a rule holds, in few words.
 * @param {Named[]} all every floor there is
 * @param {number[]} chosen
 * @param {string[]} [speakers] names of single speakers
 */
export function placesInWords(all, chosen, speakers = []) {
  if (all.length > 1 && all.every((floor) => chosen.includes(floor.id))) return t("rules.every_floor");
  const names = [...all.filter((floor) => chosen.includes(floor.id)).map((floor) => floor.name), ...speakers];
  if (!names.length) return t("rules.nowhere");
  return names.slice(0, 3).join(", ") + (names.length > 3 ? ` ${t("rules.places_more", { n: names.length - 3 })}` : "");
}
