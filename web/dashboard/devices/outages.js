/** When a speaker was away, the newest first. */

import { dayAndTime, duration, t } from "../../common/i18n.js";
import { invalidate, usePages } from "../../common/query.js";
import { zone } from "../../common/session.js";
import { Failed, Pager, Skeleton, sentence } from "../../common/ui.js";
import { html, useEffect } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Outage"]} Outage */

const AT_ONCE = 5;
/** The server writes within so long that a speaker went or came. */
const WRITTEN_MS = 10_000;

/** @param {{ id: number, how: string }} props how it is now */
export function Outages({ id, how }) {
  const path = `/api/devices/${id}/outages/?limit=${AT_ONCE}`;
  const { rows, error, more, reload } = usePages(path);
  useEffect(() => {
    const timer = setTimeout(() => invalidate(path), WRITTEN_MS);
    return () => clearTimeout(timer);
  }, [path, how]);
  if (!rows) return error ? html`<${Failed} words=${sentence(error)} onRetry=${reload} />` : html`<${Skeleton} lines=${2} />`;
  if (!rows.length) return html`<p class="quiet">${t("devices.outages_none")}</p>`;
  return html`
    <div class="stack">
      <ul class="devices-figures">
        ${/** @type {Outage[]} */ (rows).map(
          (row) => html`
            <li key=${row.id}>
              <span>${when(row)}</span>
              <span class="number devices-span">${duration(row.seconds)}</span>
            </li>
          `,
        )}
      </ul>
      <${Pager} more=${more} />
    </div>
  `;
}

/** From when to when. @param {Outage} outage */
function when({ started_at: started, ended_at: ended }) {
  const options = { zone: zone.value };
  const first = dayAndTime(started, options);
  return ended ? t("devices.outage", { first, last: dayAndTime(ended, options) }) : t("devices.outage_open", { first });
}
