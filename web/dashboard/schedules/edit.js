/** One schedule, made or changed, with its next times beside it as one types. */

import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { go, query } from "../../common/router.js";
import { locked } from "../../common/session.js";
import {
  Button,
  Card,
  Failed,
  Form,
  PageHeader,
  Segments,
  Skeleton,
  Switch,
  TextField,
  sentence,
  toast,
  useForm,
} from "../../common/ui.js";
import { html } from "../../common/view.js";
import { Places, QuietHours, Weekdays } from "../rules/fields.js";
import { Became } from "./became.js";
import { DaysOff } from "./daysoff.js";
import { blank, bodyOf, draftOf } from "./draft.js";
import { Entries } from "./entries.js";
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
