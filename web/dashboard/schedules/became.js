/** What became of a schedule's last times: heard, or why not. */

import { dayAndTime, t } from "../../common/i18n.js";
import { now } from "../../common/live.js";
import { useQuery } from "../../common/query.js";
import { Badge, Card, Failed, Skeleton, sentence } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { why } from "../plays/words.js";
import { fateOf } from "./draft.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Occurrence"]} Occurrence */

const DAY_MS = 86_400_000;
/** Times that are shown, the latest first. */
const FEW = 12;
const KINDS = /** @type {const} */ ({ heard: "good", partly: "warn", missed: "bad", left_out: "plain", open: "accent" });

/** The last day of a schedule that is there. @param {{ id: string }} props */
export function Became({ id }) {
  const [window] = useState(() => {
    const to = now.peek();
    return new URLSearchParams({ from: new Date(to - DAY_MS).toISOString(), to: new Date(to).toISOString() });
  });
  const { data, error, reload } = useQuery(`/api/schedules/${id}/occurrences/?${window}`, {
    topics: ["plays", "schedules"],
  });
  const past = /** @type {Occurrence[] | undefined} */ (data?.occurrences.toReversed());
  return html`<${Card} title=${t("schedules.became")}>
    ${error && !data && html`<${Failed} words=${sentence(error)} onRetry=${reload} />`}
    ${!past && !error && html`<${Skeleton} lines=${3} height="2rem" />`}
    ${past?.length === 0 && html`<p class="quiet">${t("schedules.became_nothing")}</p>`}
    ${past && past.length > 0 && html`<ul class="schedules-became">${past.slice(0, FEW).map(told)}</ul>`}
    ${past && past.length > 0 && html`<p class="small"><a href="/history">${t("schedules.became_all")}</a></p>`}
  <//>`;
}

/** @param {Occurrence} one */
function told(one) {
  const { fate, reasons } = fateOf(one);
  return html`<li key=${one.at + one.timezone + one.reason}>
    <div class="row apart">
      <span class="number">${dayAndTime(one.at, { zone: one.timezone })}</span>
      <${Badge} kind=${KINDS[fate]}>${t(`schedules.became_${fate}`)}<//>
    </div>
    ${one.announcement_title && html`<div class="small cut">${one.announcement_title}</div>`}
    ${reasons.map(({ code, message, n }) => html`<div key=${code} class="small quiet">
      ${why(code, message)} ${n > 0 && one.plays.length > 1 ? t("schedules.became_on", { n }) : ""}
    </div>`)}
  </li>`;
}
