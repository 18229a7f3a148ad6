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
 * @param {{ title: Children, lead?: Children, back?: { href: string, text: string }, children?: Children }} props children: actions
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

/** @param {{ title?: Children, actions?: Children, flush?: boolean, class?: string, children?: Children, [more: string]: any }} props */
export function Card({ title, actions, flush = false, class: more, children, ...rest }) {
  return html`<section class=${classes("card", { flush }, more)} ...${rest}>
    ${(title || actions) && html`<div class="row apart" style=${{ marginBottom: "var(--s3)" }}><h2>${title}</h2>${actions}</div>`}
    ${children}
  </section>`;
}

/** A word about a thing's state. @param {{ kind?: Kind, icon?: IconName, children?: Children }} props */
export function Badge({ kind = "plain", icon, children }) {
  return html`<span class=${classes("badge", kind)}>${icon && html`<${Icon} name=${icon} />`}${children}</span>`;
}

/** A state by colour and shape, with its word for those who see neither. @param {{ kind: Kind, label: string }} props */
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

/** A sentence that must be seen where it stands. @param {{ kind?: Kind, children?: Children, [more: string]: any }} props */
export function Notice({ kind = "plain", children, ...rest }) {
  return html`<div class=${`notice ${kind}`} ...${rest}><${Icon} name=${NOTICE_ICONS[kind]} /><div class="grow">${children}</div></div>`;
}

/**
 * What stands where there is nothing yet: what it would be good for, and how to begin.
 * @param {{ icon: IconName, title: Children, children?: Children, action?: Children }} props
 */
export function EmptyState({ icon, title, children, action }) {
  return html`<div class="empty"><span class="round"><${Icon} name=${icon} /></span><h2>${title}</h2>${children && html`<p>${children}</p>`}${action}</div>`;
}

/** That something could not be loaded, with another try. @param {{ error: unknown, words: string, onRetry: () => void }} props */
export function Failed({ words, onRetry }) {
  return html`<${Notice} kind="bad" role="alert"><div class="row apart wrap"><span>${words}</span><${Button} size="small" icon="refresh" onClick=${onRetry}>${t("common.retry")}</${Button}></div></${Notice}>`;
}

/** Grey shapes while something loads. @param {{ lines?: number, height?: string }} props */
export function Skeleton({ lines = 3, height = "3.5rem" }) {
  return html`<div class="stack" aria-busy="true"><span class="unseen" role="status">${t("common.loading")}</span>
    ${Array.from({ length: lines }, (_, index) => html`<span key=${index} class="skeleton" style=${{ height }}></span>`)}</div>`;
}

/** How far something has come, 0 to 1; undefined: nobody knows. @param {{ share?: number, label: string, kind?: Kind }} props */
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
 * @param {{ label: string, current: string, tabs: { key: string, text: Children, href?: string }[], onChoose?: (key: string) => void }} props
 */
export function Tabs({ label, current, tabs, onChoose }) {
  if (tabs.every((tab) => tab.href)) {
    return html`<nav class="tabs" aria-label=${label}>${tabs.map((tab) => html`<a key=${tab.key} href=${tab.href} aria-current=${tab.key === current ? "page" : undefined}>${tab.text}</a>`)}</nav>`;
  }
  const step = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const index = (tabs.findIndex((tab) => tab.key === current) + by + tabs.length) % tabs.length;
    onChoose?.(tabs[index].key);
    /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (event.currentTarget).children[index]).focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${step}>${tabs.map(
    (tab) => html`<button key=${tab.key} type="button" role="tab"
    aria-selected=${tab.key === current ? "true" : "false"} tabindex=${tab.key === current ? 0 : -1} onClick=${() => onChoose?.(tab.key)}>${tab.text}</button>`,
  )}</div>`;
}

/**
 * Rows under heads. On a phone each row folds into lines with the column's name beside the value.
 * @template T
 * @param {{ label: string, rows: T[], columns: { key: string, title: string, cell: (row: T) => any, end?: boolean }[], keyOf?: (row: T) => string | number }} props
 */
export function Table({ label, rows, columns, keyOf = (row) => /** @type {any} */ (row).id }) {
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label=${label}><table class="table folds">
    <thead><tr>${columns.map((column) => html`<th key=${column.key} scope="col" class=${column.end ? "end" : ""}>${column.title || html`<span class="unseen">${t("common.actions")}</span>`}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf(row)}>${columns.map((column) => html`<td key=${column.key} class=${column.end ? "end" : ""} data-label=${column.title || undefined}><div>${column.cell(row)}</div></td>`)}</tr>`)}</tbody>
  </table></div>`;
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
  return html`<div class="row center" style=${{ justifyContent: "center", padding: "var(--s3)" }}>
    ${failed && html`<span class="bad">${t("common.unreachable")}</span>`}
    <${Button} busy=${busy} onClick=${ask}>${t("common.show_more")}</${Button}>
  </div>`;
}
