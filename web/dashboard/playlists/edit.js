/** One playlist, made or changed: its sounds in order, how it plays, and where. */

import { api } from "../../common/api.js";
import { length, t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { go } from "../../common/router.js";
import { locked } from "../../common/session.js";
import {
  Badge,
  Button,
  Card,
  Failed,
  Form,
  Icon,
  IconButton,
  Notice,
  PageHeader,
  Skeleton,
  Switch,
  TextField,
  sentence,
  toast,
  useForm,
} from "../../common/ui.js";
import { html, useRef } from "../../common/view.js";
import { QuietHours } from "../rules/fields.js";
import { blank, bodyOf, draftOf, floorsOf } from "./draft.js";
import { Sortable } from "./sortable.js";
import { Sounds } from "./sounds.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./draft.js").DraftItem} DraftItem */

const ALL = "/api/channel-playlists/";

/** Loads what the form needs. @param {{ id: string | null }} props null: a new one */
export function Edit({ id }) {
  const row = useQuery(id === null ? null : `/api/channel-playlists/${id}/`);
  const floors = useQuery("/api/floors/?page_size=200");
  const all = id === null ? [floors] : [floors, row];
  const failed = all.find((each) => each.error && !each.data);
  return html`
    <${PageHeader}
      title=${id === null ? t("playlists.new") : (row.data?.name ?? t("frame.playlists"))}
      back=${{ href: "/playlists", text: t("playlists.back") }}
    />
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
                first=${row.data ? draftOf(row.data) : blank(floors.data.results.map((/** @type {any} */ floor) => floor.id))}
                floors=${floors.data.results}
              />
            `
    }
  `;
}

/** @param {{ id: string | null, first: Draft, floors: any[] }} props */
function EditForm({ id, first, floors }) {
  // Made once, though its floors may be refused afterwards: another try changes what was made.
  const made = useRef(id);
  const form = useForm(
    first,
    async (values, sending) => {
      const body = bodyOf(values);
      if (made.current === null) made.current = String((await api.post(ALL, body, sending)).id);
      else await api.patch(`${ALL}${made.current}/`, body, id === null ? undefined : sending);
      await api.post(`${ALL}${made.current}/assign-floors/`, floorsOf(values));
      invalidate(ALL, "/api/floors/");
      toast(t("playlists.saved"));
      go("/playlists");
    },
    { row: { path: id === null ? null : `${ALL}${id}/`, draft: draftOf } },
  );
  const { values, set } = form;
  const music = values.items.filter((item) => item.kind === "music");
  const silent = values.items.filter((item) => item.why_not).length;
  const put = (/** @type {DraftItem[]} */ items) => set({ items });
  const change = (/** @type {DraftItem} */ item, /** @type {Partial<DraftItem>} */ some) =>
    put(values.items.map((each) => (each === item ? { ...each, ...some } : each)));
  const actions = html`
    <${Button} href="/playlists">${t("common.cancel")}<//>
    <${Button} kind="primary" type="submit" busy=${form.busy} disabled=${Boolean(locked.value)}>
      ${t("playlists.save")}
    <//>
  `;
  return html`
    <${Form} form=${form} actions=${actions} class="loose playlists-edit">
      <${Card}>
        <div class="fields">
          <${TextField} label=${t("playlists.name")} required maxlength="255" ...${form.of("name")} />
          <div class="playlists-on">
            <${Switch}
              label=${t("playlists.enabled")}
              checked=${values.enabled}
              onValue=${(/** @type {boolean} */ enabled) => set({ enabled })}
            />
          </div>
        </div>
      <//>
      <${Card}
        title=${t("playlists.items")}
        actions=${
          music.length > 0 &&
          html`
            <span class="small quiet">
              ${t("playlists.n_tracks", { n: music.length })} ·${" "}
              ${length(music.reduce((sum, item) => sum + item.duration_ms, 0))}
            </span>
          `
        }
      >
        ${silent > 0 && html`<${Notice} kind="warn">${t("playlists.silent", { n: silent })}<//>`}
        ${
          values.items.length
            ? html`
                <${Sortable}
                  items=${values.items}
                  label=${t("playlists.items")}
                  keyOf=${(/** @type {DraftItem} */ item) => `${item.kind} ${item.of}`}
                  nameOf=${(/** @type {DraftItem} */ item) => item.title}
                  onOrder=${put}
                  row=${(/** @type {DraftItem} */ item, /** @type {number} */ index) => html`
                    <${Item}
                      item=${item}
                      error=${form.of(/** @type {any} */ (`items.${index}`)).error}
                      fallback=${values.default_announcement_interval}
                      onChange=${(/** @type {Partial<DraftItem>} */ some) => change(item, some)}
                      onRemove=${() => put(values.items.filter((each) => each !== item))}
                    />
                  `}
                />
              `
            : html`
                <p class="quiet">${t("playlists.items_empty")}</p>
              `
        }
        ${
          form.of("items").error &&
          html`
            <p class="bad small" role="alert">${form.of("items").error}</p>
          `
        }
      <//>
      <${Card} title=${t("playlists.sounds")}>
        <${Sounds}
          items=${values.items}
          onAdd=${(/** @type {DraftItem[]} */ more) => put([...values.items, ...more])}
        />
      <//>
      <${Card} title=${t("playlists.when")}>
        <div class="stack">
          <div class="fields">
            <${TextField}
              type="number"
              inputmode="numeric"
              min="1"
              max="1440"
              label=${t("playlists.default_announcement")}
              hint=${t("playlists.default_announcement_hint")}
              ...${form.of("default_announcement_interval")}
            />
            <${TextField}
              type="number"
              inputmode="numeric"
              min="0"
              max="1440"
              label=${t("playlists.default_music")}
              hint=${t("playlists.default_music_hint")}
              ...${form.of("default_music_interval")}
            />
          </div>
          <${Switch}
            checkbox
            label=${t("playlists.shuffle_music")}
            hint=${t("playlists.shuffle_hint")}
            checked=${values.shuffle_music}
            onValue=${(/** @type {boolean} */ shuffle_music) => set({ shuffle_music })}
          />
          <${Switch}
            checkbox
            label=${t("playlists.shuffle_announcements")}
            checked=${values.shuffle_announcements}
            onValue=${(/** @type {boolean} */ shuffle_announcements) => set({ shuffle_announcements })}
          />
          <${QuietHours}
            value=${values}
            onValue=${set}
            hint=${t("playlists.quiet_hint")}
            error=${[form.of("quiet_hours_start").error, form.of("quiet_hours_end").error].filter(Boolean).join(" ")}
          />
        </div>
      <//>
      <${Card} title=${t("playlists.where")}>
        <${Floors}
          floors=${floors}
          value=${values.floors}
          onValue=${(/** @type {Draft["floors"]} */ next) => set({ floors: next })}
          error=${form.of("floors").error}
        />
      <//>
    <//>
  `;
}

/**
 * @param {{ item: DraftItem, fallback: string, error: string, onChange: (some: Partial<DraftItem>) => void, onRemove:
 *   () => void }} props
 */
function Item({ item, fallback, error, onChange, onRemove }) {
  return html`
    <span class=${`playlists-kind ${item.kind}`}>
      <${Icon} name=${item.kind === "music" ? "music" : "announcement"} />
    </span>
    <div class="grow">
      <div class="cut strong">${item.title}</div>
      <div class="small quiet cut">
        ${[item.artist, length(item.duration_ms)].filter(Boolean).join(" · ")}${" "}
        ${
          item.why_not &&
          html`
            <${Badge} kind="warn">${t(`playlists.why_${item.why_not}`)}<//>
          `
        }
      </div>
      ${
        error &&
        html`
          <span class="bad small" role="alert">${error}</span>
        `
      }
    </div>
    ${
      item.kind === "announcement" &&
      html`
        <label class="playlists-every">
          <span class="small quiet" aria-hidden="true">${t("playlists.every")}</span>
          <input
            class="input"
            type="number"
            inputmode="numeric"
            min="1"
            max="1440"
            value=${item.interval}
            placeholder=${fallback}
            aria-label=${t("playlists.every_of", { name: item.title })}
            onInput=${(/** @type {any} */ event) => onChange({ interval: event.currentTarget.value })}
          />
        </label>
      `
    }
    <${IconButton} icon="close" label=${t("playlists.remove", { name: item.title })} onClick=${onRemove} />
  `;
}

/**
 * @param {{ floors: any[], value: Draft["floors"], onValue: (floors: Draft["floors"]) => void, error: string }} props
 */
function Floors({ floors, value, onValue, error }) {
  const flip = (/** @type {number} */ id) => {
    const without = value.filter((each) => each.floor !== id);
    onValue(without.length < value.length ? without : [...value, { floor: id, priority: "0" }]);
  };
  const rank = (/** @type {number} */ id, /** @type {string} */ priority) =>
    onValue(value.map((each) => (each.floor === id ? { ...each, priority } : each)));
  return html`
    <div class="stack">
      <ul class="stack tight">
        ${floors.map((floor) => {
          const mine = value.find((each) => each.floor === floor.id);
          return html`
            <li key=${floor.id} class="playlists-floor">
              <${Switch}
                checkbox
                label=${floor.name}
                checked=${Boolean(mine)}
                onValue=${() => flip(floor.id)}
              />
              ${
                mine &&
                html`
                  <label class="playlists-every">
                    <span class="small quiet" aria-hidden="true">${t("playlists.priority")}</span>
                    <input
                      class="input"
                      type="number"
                      min="-1000"
                      max="1000"
                      value=${mine.priority}
                      aria-label=${t("playlists.priority_of", { name: floor.name })}
                      onInput=${(/** @type {any} */ event) => rank(floor.id, event.currentTarget.value)}
                    />
                  </label>
                `
              }
            </li>
          `;
        })}
      </ul>
      <p class="small quiet">${t("playlists.floors_hint")}</p>
      ${
        error &&
        html`
          <span class="bad small" role="alert">${error}</span>
        `
      }
    </div>
  `;
}
