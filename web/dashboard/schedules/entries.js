/** What a schedule says, and when: a row for each announcement. */

import { t } from "../../common/i18n.js";
import { Button, Dialog, IconButton, Notice, Select, Switch } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { Choice } from "../announcements/choice.js";
import { clockOf, clockOfTime, nextSecond, timeOf } from "./draft.js";

/** @typedef {import("./draft.js").Draft} Draft */

/** @param {{ form: any, announcements: any[], more: boolean }} props `more`: there are more announcements than these */
export function Entries({ form, announcements, more }) {
  const [finding, setFinding] = useState(false);
  const draft = /** @type {Draft} */ (form.values);
  const entries = draft.schedule_announcements;
  const timeline = draft.kind !== "interval";
  const put = (/** @type {Draft["schedule_announcements"]} */ next) => form.set({ schedule_announcements: next });
  const change = (/** @type {number} */ at, /** @type {Partial<Draft["schedule_announcements"][0]>} */ some) =>
    put(entries.map((entry, index) => (index === at ? { ...entry, ...some } : entry)));
  if (!announcements.length && !entries.length) {
    return html`
      <${Notice}>
        <div class="stack tight">
          <span>${t("schedules.no_announcements")}</span>
          <div><${Button} size="small" icon="add" href="/announcements">${t("schedules.make_announcement")}<//></div>
        </div>
      <//>
    `;
  }
  // A timeline may say the same thing twice in a cycle; an interval draws from each once.
  const offered = announcements.filter((each) => timeline || !entries.some((entry) => entry.announcement === each.id));
  const named = (/** @type {any} */ each) => each.title + (each.playable ? "" : ` (${t("schedules.not_playable")})`);
  const take = (/** @type {{ id: number, title: string }} */ found) =>
    put([...entries, { announcement: found.id, title: found.title, ...clockOf(nextSecond(draft)) }]);
  const add = (/** @type {string} */ id) => {
    const found = announcements.find((each) => String(each.id) === id);
    if (found) take(found);
  };
  const choose = (/** @type {any} */ each) =>
    (timeline || !entries.some((entry) => entry.announcement === each.id)) &&
    html`
      <${Button}
        aria-label=${t("schedules.take_of", { title: each.title })}
        onClick=${() => {
          take(each);
          setFinding(false);
        }}
      >
        ${t("schedules.take")}
      <//>
    `;
  return html`
    <div class="stack tight">
      <p class="small quiet">${t(`schedules.announcements_hint_${draft.kind}`)}</p>
      ${
        entries.length > 0 &&
        html`
          <ul class="schedules-entries">
            ${entries.map((entry, index) => {
              const wrong = [
                `schedule_announcements.${index}.announcement`,
                `schedule_announcements.${index}.timestamp_seconds`,
                `schedule_announcements.${index}`,
              ]
                .map((name) => form.of(name).error)
                .filter(Boolean)
                .join(" ");
              return html`
                <li key=${`${entry.announcement} ${index}`}>
                  <span class="grow cut">${entry.title}</span>
                  ${
                    draft.kind === "day" &&
                    html`
                      <input
                        class="input schedules-time"
                        type="time"
                        step=${Number(entry.seconds) ? 1 : 60}
                        value=${timeOf(entry)}
                        aria-label=${t("schedules.time_of", { name: entry.title })}
                        onChange=${(/** @type {any} */ event) => change(index, clockOfTime(event.currentTarget.value))}
                      />
                    `
                  }
                  ${
                    draft.kind === "cycle" &&
                    html`
                      <span class="schedules-clock">
                        <input
                          class="input"
                          type="number"
                          inputmode="numeric"
                          min="0"
                          max="1439"
                          value=${entry.minutes}
                          aria-label=${`${t("schedules.clock_minutes")}: ${entry.title}`}
                          onInput=${(/** @type {any} */ event) => change(index, { minutes: event.currentTarget.value })}
                        />
                        <span aria-hidden="true">:</span>
                        <input
                          class="input"
                          type="number"
                          inputmode="numeric"
                          min="0"
                          max="59"
                          value=${entry.seconds}
                          aria-label=${`${t("schedules.clock_seconds")}: ${entry.title}`}
                          onInput=${(/** @type {any} */ event) => change(index, { seconds: event.currentTarget.value })}
                        />
                      </span>
                    `
                  }
                  <${IconButton}
                    icon="close"
                    label=${t("schedules.remove_entry", { name: entry.title })}
                    onClick=${() => put(entries.filter((_, at) => at !== index))}
                  />
                  ${
                    wrong &&
                    html`
                      <span class="wrong bad small" role="alert">${wrong}</span>
                    `
                  }
                </li>
              `;
            })}
          </ul>
        `
      }
      ${
        offered.length > 0 &&
        html`
          <${Select}
            label=${html`
              <span class="unseen">${t("schedules.add_announcement")}</span>
            `}
            value=""
            onValue=${add}
            error=${form.of("schedule_announcements").error}
            options=${[["", t("schedules.add_announcement")], ...offered.map((each) => [each.id, named(each)])]}
          />
        `
      }
      ${
        more &&
        html`
          <div><${Button} size="small" icon="search" onClick=${() => setFinding(true)}>${t("schedules.find_announcement")}<//></div>
        `
      }
      ${
        finding &&
        html`
          <${Dialog} wide title=${t("schedules.add_announcement")} onClose=${() => setFinding(false)}>
            <${Choice} act=${choose} />
          <//>
        `
      }
      ${
        !timeline &&
        entries.length > 1 &&
        html`
          <${Switch}
            checkbox
            label=${t("schedules.avoid_repeat")}
            checked=${draft.avoid_repeat}
            onValue=${(/** @type {boolean} */ avoid_repeat) => form.set({ avoid_repeat })}
          />
        `
      }
    </div>
  `;
}
