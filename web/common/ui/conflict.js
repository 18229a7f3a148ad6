/** Somebody else saved what one has open: who, what, and whose is to stand. */

import { api } from "../api.js";
import { dayAndTime, t } from "../i18n.js";
import { changed } from "../merge.js";
import { may, zone } from "../session.js";
import { html, useEffect, useRef } from "../view.js";
import { Button } from "./button.js";
import { Notice } from "./show.js";

/** @typedef {{ name: string, at: string }} By who saved last, and when */

/**
 * What is there now, of which version, and who made it so.
 * @template T
 * @typedef {{ theirs: T, etag: string, by: By | null }} Clash
 */

/** What the audit log calls the rows of a path. @type {Record<string, string>} */
const RESOURCES = {
  announcements: "announcement",
  "channel-playlists": "channel_playlist",
  clients: "client",
  devices: "device",
  floors: "floor",
  music: "music",
  schedules: "schedule",
  users: "user",
  webhooks: "webhook",
};

/** Who changed a row last; null for who may not see the audit log. @param {string} path like `/api/floors/3/` */
export async function changedBy(path) {
  const [, kind, id] = path.split("/").filter(Boolean);
  if (!may("audit.read") || !RESOURCES[kind] || !id) return null;
  const query = { resource: RESOURCES[kind], resource_id: id, limit: 10 };
  const { results } = await api.get("/api/audit-logs/", { query });
  const last = results.find((/** @type {any} */ entry) => entry.details.before); // not that it was played
  return last ? /** @type {By} */ ({ name: last.actor_name, at: last.timestamp }) : null;
}

/** A field of a form by its name. @param {HTMLFormElement | null} form @param {string} name */
function controlOf(form, name) {
  const found = form?.elements.namedItem(name);
  const control = found instanceof RadioNodeList ? found[0] : found;
  return /** @type {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement | null} */ (control ?? null);
}

/** What a field is called: its label without what else stands there. @param {ReturnType<typeof controlOf>} control */
function nameOf(control) {
  const label = /** @type {HTMLElement | undefined} */ (control?.labels?.[0]?.cloneNode(true));
  for (const more of label?.querySelectorAll(".hint, .wrong") ?? []) more.remove();
  return label?.textContent?.trim() ?? "";
}

/** A value as the field would show it. @param {ReturnType<typeof controlOf>} control @param {any} value */
function shown(control, value) {
  if (typeof value === "boolean") return t(value ? "common.yes" : "common.no");
  const option = control instanceof HTMLSelectElement && [...control.options].find((each) => each.value === String(value));
  if (option) return option.text;
  return value === "" || value === null ? t("common.nothing") : String(value).replace(/^(\d{4}-\d\d-\d\d)T/, "$1 ");
}

/**
 * What to say and to choose, in a form.
 * @param {{ clash: Clash<any> & { base: any, mine: any }, element: HTMLFormElement | null, onSettle: (whose: "mine" |
 *   "theirs") => void }} props
 */
export function Conflict({ clash, element, onSettle }) {
  const { base, theirs, mine, by } = clash;
  const own = changed(base, mine);
  const lines = changed(base, theirs).flatMap((name) => {
    const control = controlOf(element, name);
    const words = nameOf(control);
    if (!words) return [];
    const value = shown(control, theirs[name]);
    const both = own.includes(name) && shown(control, mine[name]) !== value;
    return [html`<li key=${name}><span class="strong">${words}:</span> ${value}
      ${both && html`<span class="quiet"> (${t("common.clash_yours", { value: shown(control, mine[name]) })})</span>`}</li>`];
  });
  const who = by
    ? t("common.clash_by", { name: by.name, when: dayAndTime(by.at, { zone: zone.value }) })
    : t("common.clash");
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), []); // a long dialog would hide it
  return html`<${Notice} kind="warn" role="alert">
    <div class="stack tight" ref=${box}>
      <p class="strong">${who}</p>
      ${lines.length > 0 && html`<ul>${lines}</ul>`}
      <p class="small">${t("common.clash_hint")}</p>
      <div class="row wrap">
        <${Button} size="small" kind="primary" onClick=${() => onSettle("mine")}>${t("common.clash_mine")}<//>
        <${Button} size="small" onClick=${() => onSettle("theirs")}>${t("common.clash_theirs")}<//>
      </div>
    </div>
  <//>`;
}
