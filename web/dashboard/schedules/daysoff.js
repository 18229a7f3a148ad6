/** The days on which a schedule is silent. */

import { t } from "../../common/i18n.js";
import { Button, IconButton, TextField } from "../../common/ui.js";
import { html } from "../../common/view.js";

/** @typedef {import("./draft.js").Draft} Draft */

/** @param {{ form: any }} props */
export function DaysOff({ form }) {
  const days = /** @type {Draft["exceptions"]} */ (form.values.exceptions);
  const put = (/** @type {Draft["exceptions"]} */ exceptions) => form.set({ exceptions });
  const change = (/** @type {number} */ at, /** @type {Partial<Draft["exceptions"][0]>} */ some) =>
    put(days.map((off, index) => (index === at ? { ...off, ...some } : off)));
  return html`
    <div class="stack tight">
      <p class="small quiet">${t("schedules.days_off_hint")}</p>
      ${days.map(
        (off, index) => html`
          <div key=${index} class="schedules-daysoff">
            <${TextField}
              type="date"
              label=${t("schedules.first_day")}
              value=${off.start}
              error=${form.of(`exceptions.${index}.start`).error}
              onValue=${(/** @type {string} */ start) => change(index, { start })}
            />
            <${TextField}
              type="date"
              label=${t("schedules.last_day")}
              value=${off.end}
              min=${off.start}
              error=${form.of(`exceptions.${index}.end`).error}
              onValue=${(/** @type {string} */ end) => change(index, { end })}
            />
            <${TextField}
              label=${t("schedules.note")}
              value=${off.note}
              maxlength="255"
              onValue=${(/** @type {string} */ note) => change(index, { note })}
            />
            <${IconButton}
              icon="close"
              label=${t("schedules.remove_days_off", { day: off.start })}
              onClick=${() => put(days.filter((_, at) => at !== index))}
            />
          </div>
        `,
      )}
      <div>
        <${Button} size="small" icon="add" onClick=${() => put([...days, { start: "", end: "", note: "" }])}>
          ${t("schedules.add_days_off")}
        <//>
      </div>
      ${
        form.of("exceptions").error &&
        html`
          <span class="bad small" role="alert">${form.of("exceptions").error}</span>
        `
      }
    </div>
  `;
}
