/** Where an announcement stands: being spoken, being prepared, ready, failed. */

import "./texts.js";
import { t } from "../../common/i18n.js";
import { Badge, Notice } from "../../common/ui.js";
import { html } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Announcement"]} Announcement */

/** What is not simply ready. @param {{ row: Announcement }} props */
export function StateBadge({ row }) {
  if (row.status === "failed") return html`<${Badge} kind="bad" icon="warning">${t("announcements.failed")}</${Badge}>`;
  if (row.status === "ready") return null;
  return html`<span class="badge accent" role="status"><span class="spinner"
    aria-hidden="true"></span>${t(`announcements.${row.status}`)}</span>`;
}

/** The same in a sentence, where there is room: what goes on, or why it failed. @param {{ row: Announcement }} props */
export function StateNotice({ row }) {
  if (row.status === "ready") return null;
  if (row.status === "failed") return html`<${Notice} kind="bad" role="alert"><p>${row.failure_detail || t("announcements.failed")}</p><p
    class="small">${t(row.playable ? "announcements.failed_earlier" : "announcements.failed_again")}</p></${Notice}>`;
  return html`<${Notice} kind="accent" role="status">${t(row.playable ? "announcements.anew" : "announcements.leave")}</${Notice}>`;
}
