/** One schedule, made or changed, with its next times beside it as one types. */

import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { go, query } from "../../common/router.js";
import { locked } from "../../common/session.js";
import {
  Button,
  Card,
  Dialog,
  Failed,
  Form,
  IconButton,
  Notice,
  PageHeader,
  Segments,
  Select,
  Skeleton,
  Switch,
  TextField,
  sentence,
  toast,
  useForm,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { Choice } from "../announcements/choice.js";
import { Places, QuietHours, Weekdays } from "../rules/fields.js";
import { Became } from "./became.js";
import { blank, bodyOf, clockOf, clockOfTime, draftOf, nextSecond, timeOf } from "./draft.js";
import { Preview } from "./preview.js";

/** @typedef {import("./draft.js").Draft} Draft */

/** Loads what the form needs. @param {{ id: string | null }} props null: a new one */
export function Edit({ id }) {
  const like = id ?? query.value.get("like");
  const row = useQuery(like === null ? null : `/api/schedules/${like}/`);
  const floors = useQuery("/api/floors/?page_size=200");
  const devices = useQuery("/api/devices/?page_size=200");
  const announcements = useQuery("/api/announcements/?page_size=200");
  const all = [floors, devices, announcements, ...(like === null ? [] : [row])];
  const failed = all.find((each) => each.error && !each.data);
  const title = id === null ? t("schedules.new") : (row.data?.name ?? t("frame.schedules"));
  return html`
    <${PageHeader} title=${title} back=${{ href: "/schedules", text: t("schedules.back") }} />
    ${
      failed
        ? html`
            <${Failed} words=${sentence(failed.error)} onRetry=${failed.reload} />
          `
        : all.some((each) => !each.data)
          ? html`
              <${Skeleton} lines=${5} />
            `
          : html`
              <${EditForm}
                id=${id}
                first=${first(id, row.data, floors.data.results)}
                floors=${floors.data.results}
                devices=${devices.data.results}
                announcements=${announcements.data.results}
                more=${announcements.data.next !== null}
              />
            `
    }
  `;
}

/** What the form begins with. @param {string | null} id @param {any} row @param {any[]} floors @returns {Draft} */
function first(id, row, floors) {
  if (!row) return blank(floors.map((floor) => floor.id));
  const draft = draftOf(row);
  return id === null ? { ...draft, name: t("schedules.copy_name", { name: row.name }) } : draft;
}

/** @param {{ id: string | null, first: Draft, floors: any[], devices: any[], announcements: any[], more: boolean }} props
 *   `more`: there are more announcements than these */
function EditForm({ id, first, floors, devices, announcements, more }) {
  const path = id === null ? null : `/api/schedules/${id}/`;
  const form = useForm(
    first,
    async (values, sending) => {
      if (path) await api.patch(path, bodyOf(values), sending);
      else await api.post("/api/schedules/", bodyOf(values), sending);
      invalidate("/api/schedules/", "/api/floors/");
      toast(t("schedules.made"));
      go("/schedules");
    },
    { row: { path, draft: draftOf } },
  );
  const { values, set } = form;
  const error = (/** @type {keyof Draft} */ name) => form.of(name).error;
  const actions = html`
    <${Button} href="/schedules">${t("common.cancel")}<//>
    <${Button} kind="primary" type="submit" busy=${form.busy} disabled=${Boolean(locked.value)}>
      ${t("schedules.save")}
    <//>
  `;
  return html`
    <div class="schedules-edit">
      <${Form} form=${form} actions=${actions} class="loose">
        <${Card}>
          <div class="stack">
            <${TextField}
              label=${t("schedules.name")}
              hint=${t("schedules.name_hint")}
              required
              maxlength="255"
              ...${form.of("name")}
            />
            <${Switch}
              label=${t("schedules.enabled")}
              checked=${values.enabled}
              onValue=${(/** @type {boolean} */ enabled) => set({ enabled })}
            />
          </div>
        <//>
        <${Card} title=${t("schedules.kind")}>
          <div class="stack">
            <${Segments}
              label=${t("schedules.kind")}
              value=${values.kind}
              onValue=${(/** @type {any} */ kind) => set({ kind })}
              options=${[
                ["interval", t("schedules.kind_interval")],
                ["day", t("schedules.kind_day")],
                ["cycle", t("schedules.kind_cycle")],
              ]}
            />
            ${
              values.kind === "day"
                ? html`
                    <p class="small quiet">${t("schedules.day_hint")}</p>
                  `
                : values.kind === "cycle"
                  ? html`
                      <${TextField}
                        type="number"
                        inputmode="numeric"
                        min="1"
                        max="1440"
                        label=${t("schedules.cycle")}
                        hint=${t("schedules.cycle_hint")}
                        ...${form.of("cycle_duration_minutes")}
                      />
                    `
                  : html`
                      <${TextField}
                        type="number"
                        inputmode="numeric"
                        min="1"
                        max="1440"
                        label=${t("schedules.interval")}
                        hint=${t("schedules.interval_hint")}
                        ...${form.of("interval_minutes")}
                      />
                    `
            }
            <${Weekdays}
              value=${values.active_days}
              onValue=${(/** @type {number[]} */ active_days) => set({ active_days })}
              error=${error("active_days")}
            />
            <${QuietHours}
              value=${values}
              onValue=${set}
              error=${[error("quiet_hours_start"), error("quiet_hours_end")].filter(Boolean).join(" ")}
            />
          </div>
        <//>
        <${Card} title=${t("schedules.announcements")}><${Entries} form=${form} announcements=${announcements} more=${more} /><//>
        <${Card} title=${t("schedules.where")}>
          <${Places}
            floors=${floors}
            chosen=${values.floors}
            onFloors=${(/** @type {number[]} */ ids) => set({ floors: ids })}
            devices=${devices}
            chosenDevices=${values.devices}
            onDevices=${(/** @type {number[]} */ ids) => set({ devices: ids })}
            error=${[error("floors"), error("devices")].filter(Boolean).join(" ")}
          />
        <//>
        <${Card} title=${t("schedules.days_off")}><${DaysOff} form=${form} /><//>
      <//>
      <aside class="stack loose">
        <${Preview} draft=${values} replaces=${id} />
        ${id !== null && html`<${Became} id=${id} />`}
      </aside>
    </div>
  `;
}

/** @param {{ form: any, announcements: any[], more: boolean }} props */
function Entries({ form, announcements, more }) {
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

/** @param {{ form: any }} props */
function DaysOff({ form }) {
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
