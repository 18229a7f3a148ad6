/** What is shown: headers, states, lists, waiting. */

import { t } from "../i18n.js";
import { classes, html, useState } from "../view.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

/** @typedef {import("../view.js").Children} Children */
/** @typedef {import("./icon.js").IconName} IconName */
/** @typedef {"good" | "warn" | "bad" | "accent" | "plain"} Kind */

/**
 * The head of a page: its name, a sentence, what can be done; `back` is where it belongs.
 * @param {{ title: Children, lead?: Children, back?: { href: string, text: string }, children?: Children }} props
 *   children: actions
 */
export function PageHeader({ title, lead, back, children }) {
  return html`<header class="page-header">
    <div class="grow">
      ${back && html`<a class="crumb" href=${back.href}><${Icon} name="left" />${back.text}</a>`}
      <h1 tabindex="-1">${title}</h1>
      ${lead && html`<p class="lead">${lead}</p>`}
    </div>
    ${children && html`<div class="row wrap">${children}</div>`}
  </header>`;
}

/**
 * @param {{ title?: Children, actions?: Children, flush?: boolean, class?: string, children?: Children, [more: string]:
 *   any }} props
 */
export function Card({ title, actions, flush = false, class: more, children, ...rest }) {
  return html`<section class=${classes("card", { flush }, more)} ...${rest}>
    ${(title || actions) && html`<div class="card-head row apart"><h2>${title}</h2>${actions}</div>`}
    ${children}
  </section>`;
}

/** A word about a thing's state. @param {{ kind?: Kind, icon?: IconName, children?: Children }} props */
export function Badge({ kind = "plain", icon, children }) {
  return html`<span class=${classes("badge", kind)}>${icon && html`<${Icon} name=${icon} />`}${children}</span>`;
}

/**
 * A state by colour and shape, with its word for those who see neither.
 * @param {{ kind: Kind, label: string }} props
 */
export function StatusDot({ kind, label }) {
  return html`<span class=${`dot ${kind}`} role="img" aria-label=${label} title=${label}></span>`;
}

const NOTICE_ICONS = /** @type {Record<Kind, IconName>} */ ({
  good: "check",
  warn: "warning",
  bad: "warning",
  accent: "info",
  plain: "info",
});

/**
 * A sentence that must be seen where it stands.
 * @param {{ kind?: Kind, children?: Children, [more: string]: any }} props
 */
export function Notice({ kind = "plain", children, ...rest }) {
  return html`<div class=${`notice ${kind}`} ...${rest}>
    <${Icon} name=${NOTICE_ICONS[kind]} />
    <div class="grow">${children}</div>
  </div>`;
}

/**
 * What stands where there is nothing yet: what it would be good for, and how to begin.
 * `heading` is "h1" where it is the whole page.
 * @param {{ icon: IconName, title: Children, heading?: "h1" | "h2", children?: Children, action?: Children }} props
 */
export function EmptyState({ icon, title, heading = "h2", children, action }) {
  return html`<div class="empty">
    <span class="round"><${Icon} name=${icon} /></span>
    <${heading}>${title}<//>
    ${children && html`<p>${children}</p>`} ${action}
  </div>`;
}

/**
 * That something could not be loaded, with another try.
 * @param {{ error: unknown, words: string, onRetry: () => void }} props
 */
export function Failed({ words, onRetry }) {
  return html`<${Notice} kind="bad" role="alert">
    <div class="row apart wrap">
      <span>${words}</span>
      <${Button} size="small" icon="refresh" onClick=${onRetry}>${t("common.retry")}<//>
    </div>
  <//>`;
}

/** Grey shapes while something loads. @param {{ lines?: number, height?: string }} props */
export function Skeleton({ lines = 3, height = "3.5rem" }) {
  const shape = (/** @type {unknown} */ _, /** @type {number} */ index) =>
    html`<span key=${index} class="skeleton" style=${{ height }}></span>`;
  return html`<div class="stack" aria-busy="true">
    <span class="unseen" role="status">${t("common.loading")}</span>
    ${Array.from({ length: lines }, shape)}
  </div>`;
}

/**
 * How far something has come, 0 to 1; undefined: nobody knows.
 * @param {{ share?: number, label: string, kind?: Kind }} props
 */
export function Progress({ share, label, kind = "plain" }) {
  return html`<progress class=${`progress ${kind}`} max="1" value=${share} aria-label=${label}></progress>`;
}

/** A person's picture, or their initials. @param {{ name: string, url?: string | null }} props */
export function Avatar({ name, url }) {
  const initials = name
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => word[0])
    .slice(0, 2)
    .join("")
    .toUpperCase();
  return url
    ? html`<img class="avatar" src=${url} alt="" />`
    : html`<span class="avatar" aria-hidden="true">${initials || "?"}</span>`;
}

/**
 * Views beside each other, each with its address or its key.
 * @param {{ label: string, current: string, tabs: { key: string, text: Children, href?: string }[], onChoose?: (key:
 *   string) => void }} props
 */
export function Tabs({ label, current, tabs, onChoose }) {
  if (tabs.every((tab) => tab.href)) {
    const link = (/** @type {typeof tabs[number]} */ { key, href, text }) =>
      html`<a key=${key} href=${href} aria-current=${key === current ? "page" : undefined}>${text}</a>`;
    return html`<nav class="tabs" aria-label=${label}>${tabs.map(link)}</nav>`;
  }
  const step = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const index = (tabs.findIndex((tab) => tab.key === current) + by + tabs.length) % tabs.length;
    onChoose?.(tabs[index].key);
    const list = /** @type {HTMLElement} */ (event.currentTarget);
    /** @type {HTMLElement} */ (list.children[index]).focus();
  };
  const tab = (/** @type {typeof tabs[number]} */ { key, text }) => {
    const chosen = key === current;
    const state = { "aria-selected": chosen ? "true" : "false", tabindex: chosen ? 0 : -1 };
    const choose = () => onChoose?.(key);
    return html`<button key=${key} type="button" role="tab" ...${state} onClick=${choose}>${text}</button>`;
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${step}>${tabs.map(tab)}</div>`;
}

/**
 * Rows under heads. On a phone each row folds into lines with the column's name beside the value.
 * @template T
 * @param {{ label: string, rows: T[], columns: { key: string, title: string, cell: (row: T) => any, end?: boolean }[],
 *   keyOf?: (row: T) => string | number }} props
 */
export function Table({ label, rows, columns, keyOf = (row) => /** @type {any} */ (row).id }) {
  const head = (/** @type {typeof columns[number]} */ { key, title, end }) =>
    html`<th key=${key} scope="col" class=${end ? "end" : ""}>
      ${title || html`<span class="unseen">${t("common.actions")}</span>`}
    </th>`;
  const cells = (/** @type {T} */ row) =>
    columns.map(
      ({ key, title, end, cell }) => html`<td key=${key} class=${end ? "end" : ""} data-label=${title || undefined}>
        <div>${cell(row)}</div>
      </td>`,
    );
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label=${label}>
    <table class="table folds">
      <thead>
        <tr>
          ${columns.map(head)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => html`<tr key=${keyOf(row)}>${cells(row)}</tr>`)}
      </tbody>
    </table>
  </div>`;
}

/** More of a list, by `usePages`. @param {{ more: (() => Promise<void>) | null }} props */
export function Pager({ more }) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  if (!more) return null;
  const ask = async () => {
    setBusy(true);
    setFailed(false);
    await more().catch(() => setFailed(true));
    setBusy(false);
  };
  return html`<div class="pager">
    ${failed && html`<span class="bad">${t("common.unreachable")}</span>`}
    <${Button} busy=${busy} onClick=${ask}>${t("common.show_more")}<//>
  </div>`;
}
