/** What an account was used for, by day and business. */

import "./texts.js";
import { day, number, t } from "../../common/i18n.js";
import { usePages } from "../../common/query.js";
import { Dialog, Failed, Pager, Skeleton, Table, sentence } from "../../common/ui.js";
import { html } from "../../common/view.js";
import { usd } from "./spending.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Provider"]} Provider */
/** @typedef {import("../../.types/api.js").components["schemas"]["Usage"]} Usage */

/** @param {{ provider: Provider, onClose: () => void }} props */
export function UsageDialog({ provider, onClose }) {
  const { rows, error, more, reload } = usePages(`/api/ai-providers/${provider.id}/usage/`);
  const columns = [
    {
      key: "day",
      title: t("providers.day"),
      cell: (/** @type {Usage} */ row) => day(row.day, { year: true, zone: "UTC" }),
    },
    {
      key: "client",
      title: t("providers.business"),
      cell: (/** @type {Usage} */ row) =>
        row.client_name ||
        html`
          <span class="quiet">–</span>
        `,
    },
    {
      key: "calls",
      title: t("providers.calls"),
      end: true,
      cell: (/** @type {Usage} */ row) => number(row.requests ?? 0),
    },
    {
      key: "failures",
      title: t("providers.failures"),
      end: true,
      cell: (/** @type {Usage} */ row) => number(row.failures ?? 0),
    },
    { key: "used", title: t("providers.used"), end: true, cell: (/** @type {Usage} */ row) => used(row) },
    { key: "cost", title: t("providers.cost"), end: true, cell: (/** @type {Usage} */ row) => usd(row.cost_usd, 4) },
  ];
  return html`
    <${Dialog} wide title=${t("providers.usage_of", { name: provider.name })} onClose=${onClose}>
      ${
        error &&
        !rows &&
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
          <p class="quiet">${t("providers.never_used")}</p>
        `
      }
      ${
        rows &&
        rows.length > 0 &&
        html`
          <${Table}
            label=${t("providers.usage")}
            rows=${rows}
            columns=${columns}
            keyOf=${(/** @type {Usage} */ row) => `${row.day} ${row.client}`}
          />
          <${Pager} more=${more} />
        `
      }
    <//>
  `;
}

/** What is paid for: characters of speech, tokens of text. @param {Usage} row */
function used({ characters = 0, input_tokens: read = 0, output_tokens: written = 0 }) {
  return [
    characters && t("providers.characters", { n: characters }),
    read + written && t("providers.tokens", { n: read + written }),
  ]
    .filter(Boolean)
    .join(", ");
}
