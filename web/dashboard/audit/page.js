/**
 * The audit trail: who did what, when, from where, and what it was before. Staff read all of it, admins their own
 * business's.
 */

import "./texts.js";
import { dayAndTime, has, language, size, t } from "../../common/i18n.js";
import { saveExport } from "../../common/download.js";
import { usePages } from "../../common/query.js";
import { query, setQuery } from "../../common/router.js";
import { may, zone } from "../../common/session.js";
import {
  Badge,
  Button,
  Card,
  Dialog,
  EmptyState,
  Failed,
  PageHeader,
  Pager,
  Select,
  Skeleton,
  Table,
  TextField,
  sentence,
  toastError,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { difference, inWords, named as columnOf } from "./difference.js";
import en from "./en.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["AuditLog"]} AuditLog */
/** @typedef {import("./difference.js").Line} Line */

/** What can be filtered by, as the API names it. */
const FILTERS = /** @type {const} */ (["search", "action", "resource", "client", "from", "to"]);

/**
 * A day of the reader's own calendar as the instant at which it begins, `days` later.
 * @param {string} date YYYY-MM-DD
 * @param {number} [days]
 */
export function beginningOf(date, days = 0) {
  const [year, month, day] = date.split("-").map(Number);
  return new Date(year, month - 1, day + days).toISOString();
}

/** What the filters ask of the API; `to` is the last day that is shown. @param {URLSearchParams} given */
export function askedBy(given) {
  const asked = new URLSearchParams();
  for (const name of FILTERS) {
    const value = given.get(name);
    if (value) asked.set(name, name === "from" ? beginningOf(value) : name === "to" ? beginningOf(value, 1) : value);
  }
  return asked;
}

/** The page. */
export default function Page() {
  const given = query.value;
  const asked = askedBy(given);
  const { rows, error, more, reload } = usePages(`/api/audit-logs/?${asked}`);
  const [open, setOpen] = useState(/** @type {AuditLog | null} */ (null));
  const staff = may("clients.manage");
  const columns = [
    {
      key: "when",
      title: t("audit.when"),
      cell: (/** @type {AuditLog} */ row) => html`
        <span class="number">${dayAndTime(row.timestamp, { zone: zone.value, seconds: true })}</span>
      `,
    },
    {
      key: "who",
      title: t("audit.who"),
      cell: (/** @type {AuditLog} */ row) => html`
        ${
          row.actor_name ||
          html`
            <span class="quiet">${t("audit.nobody")}</span>
          `
        }
        ${
          row.real_actor_name &&
          html`
            <br />
            <span class="small warn">${t("audit.really", { name: row.real_actor_name })}</span>
          `
        }
      `,
    },
    {
      key: "what",
      title: t("audit.what"),
      cell: (/** @type {AuditLog} */ row) => html`
        <${Badge}>${named("action", row.action)}<//> ${named("resource", row.resource)}${" "}
        <span class="quiet">${row.resource_id}</span>
      `,
    },
    ...(staff
      ? [
          {
            key: "business",
            title: t("audit.business"),
            cell: (/** @type {AuditLog} */ row) =>
              row.client_name ||
              html`
                <span class="quiet">–</span>
              `,
          },
        ]
      : []),
    {
      key: "from",
      title: t("audit.address"),
      cell: (/** @type {AuditLog} */ row) =>
        row.ip_address ??
        html`
          <span class="quiet">–</span>
        `,
    },
    {
      key: "open",
      title: "",
      end: true,
      cell: (/** @type {AuditLog} */ row) => html`
        <${Button} size="small" aria-label=${t("audit.open_of", { number: row.id })} onClick=${() => setOpen(row)}>
          ${t("audit.open")}
        <//>
      `,
    },
  ];
  /** @param {string} name */
  const filter = (name) => ({
    value: given.get(name) ?? "",
    onValue: (/** @type {string} */ value) => setQuery({ [name]: value }),
  });
  return html`
    <${PageHeader} title=${t("frame.audit")} lead=${t("audit.lead")}><${Export} asked=${asked} /><//>
    <div class="fields audit-filters">
      <${TextField} type="search" label=${t("audit.search")} ...${filter("search")} />
      <${Select} label=${t("audit.action")} options=${choices("action")} ...${filter("action")} />
      <${Select} label=${t("audit.resource")} options=${choices("resource")} ...${filter("resource")} />
      <${TextField} type="date" label=${t("audit.from")} ...${filter("from")} />
      <${TextField} type="date" label=${t("audit.to")} ...${filter("to")} />
    </div>
    ${
      error &&
      html`
        <${Failed} words=${sentence(error)} onRetry=${reload} />
      `
    }
    ${
      !rows &&
      !error &&
      html`
        <${Skeleton} />
      `
    }
    ${
      rows?.length === 0 &&
      html`
        <${EmptyState} icon="search" title=${t("audit.none")}>${t("audit.none_text")}<//>
      `
    }
    ${
      rows &&
      rows.length > 0 &&
      html`
        <${Card} flush><${Table} label=${t("frame.audit")} rows=${rows} columns=${columns} /><//>
        <${Pager} more=${more} />
      `
    }
    ${
      open &&
      html`
        <${Entry} entry=${open} onClose=${() => setOpen(null)} />
      `
    }
  `;
}

/** All actions or resources that have a name here, by that name. @param {"action" | "resource"} kind */
function choices(kind) {
  const beginning = `audit.${kind}_`;
  const names = Object.keys(en).filter((key) => key.startsWith(beginning));
  const options = names.map((key) => [key.slice(beginning.length), t(key)]);
  const there = query.value.get(kind);
  if (there && !names.includes(beginning + there)) options.push([there, named(kind, there)]); // of an address
  return [["", t("audit.all")], ...options.sort(([, one], [, other]) => one.localeCompare(other, language.value))];
}

/**
 * An action or a resource in words; one that has none stands as the trail has it.
 * @param {"action" | "resource"} kind
 * @param {string} name
 */
const named = (kind, name) => (has(`audit.${kind}_${name}`) ? t(`audit.${kind}_${name}`) : name.replaceAll("_", " "));

/**
 * One entry: before and after of each column, or the facts of the act.
 * @param {{ entry: AuditLog, onClose: () => void }} props
 */
function Entry({ entry, onClose }) {
  const { before, after, ...facts } = /** @type {Record<string, any>} */ (entry.details);
  const lines = difference(before, after);
  const columns = [
    { key: "name", title: t("audit.column"), cell: (/** @type {Line} */ line) => columnOf(line.name) },
    { key: "before", title: t("audit.before"), cell: (/** @type {Line} */ line) => values(line.before, "del") },
    { key: "after", title: t("audit.after"), cell: (/** @type {Line} */ line) => values(line.after, "ins") },
  ];
  return html`
    <${Dialog}
      wide
      title=${`${named("action", entry.action)}: ${named("resource", entry.resource)} ${entry.resource_id}`}
      onClose=${onClose}
    >
      <p>
        ${entry.actor_name || t("audit.nobody")}
        ${entry.real_actor_name && ` (${t("audit.really", { name: entry.real_actor_name })})`},${" "}
        ${dayAndTime(entry.timestamp, { zone: zone.value, seconds: true })}
        ${entry.ip_address && `, ${entry.ip_address}`}
      </p>
      ${
        lines.length > 0 &&
        html`
          <${Table}
            label=${t("audit.changes")}
            rows=${lines}
            columns=${columns}
            keyOf=${(/** @type {Line} */ line) => line.name}
          />
        `
      }
      ${
        Object.keys(facts).length > 0 &&
        html`
          <dl class="audit-facts">
            ${Object.entries(facts).map(
              ([name, value]) =>
                html`<dt class="small quiet">${columnOf(name)}</dt>
                  <dd class="audit-value">${inWords(value)}</dd>`,
            )}
          </dl>
        `
      }
      <p class="small quiet audit-value">
        ${t("audit.chain", { number: entry.number ?? "–", request: entry.request_id || "–" })}
        <br />
        SHA-256 ${entry.hash || "–"}
      </p>
    <//>
  `;
}

/** What went or came, each on a line of its own. @param {string[]} lines @param {"del" | "ins"} kind */
const values = (lines, kind) =>
  lines.map((line) => html`<${kind} key=${line} class="audit-value">${line}<//>`);

/**
 * The export of what is shown, which tells how far it has come and can be stopped.
 * @param {{ asked: URLSearchParams }} props
 */
function Export({ asked }) {
  const [running, setRunning] = useState(/** @type {{ bytes: number, stop: AbortController } | null} */ (null));
  const save = async () => {
    const stop = new AbortController();
    setRunning({ bytes: 0, stop });
    try {
      await saveExport(`/api/audit-logs/export/?${asked}`, "audit.csv", {
        signal: stop.signal,
        progress: (bytes) => setRunning({ bytes, stop }),
      });
    } catch (problem) {
      if (!stop.signal.aborted) toastError(problem);
    }
    setRunning(null);
  };
  if (!running)
    return html`
      <${Button} icon="download" onClick=${save}>${t("audit.export")}<//>
    `;
  return html`
    <span class="small quiet number" role="status">${t("audit.exporting", { size: size(running.bytes) })}</span>
    <${Button} onClick=${() => running.stop.abort()}>${t("common.cancel")}<//>
  `;
}
