/**
 * Accounts at AI providers, for staff: what each may spend and has spent, whether it works, and in which order they are
 * asked.
 */

import "./texts.js";
import { api } from "../../common/api.js";
import { number, relative, t } from "../../common/i18n.js";
import { invalidate, usePages } from "../../common/query.js";
import {
  Ask,
  Badge,
  Button,
  Card,
  EmptyState,
  Failed,
  Menu,
  Notice,
  PageHeader,
  Pager,
  Progress,
  Skeleton,
  Switch,
  sentence,
  toast,
  toastError,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { ProviderDialog } from "./edit.js";
import { kindOf, shareOf, usd } from "./spending.js";
import { UsageDialog } from "./usage.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Provider"]} Provider */

const ALL = "/api/ai-providers/";

/** The page. */
export default function Page() {
  const { rows, error, more, reload } = usePages(`${ALL}?ordering=order`);
  const [shown, setShown] = useState(
    /** @type {{ what: "edit" | "usage" | "remove", provider?: Provider } | null} */ (null),
  );
  const close = () => setShown(null);
  const provider = shown?.provider;
  return html`
    <${PageHeader} title=${t("frame.providers")} lead=${t("providers.lead")}>
      <${Button} kind="primary" icon="add" onClick=${() => setShown({ what: "edit" })}>${t("providers.add")}<//>
    <//>
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
        <${Skeleton} height="9rem" />
      `
    }
    ${
      rows?.length === 0 &&
      html`
        <${EmptyState}
          icon="announcement"
          title=${t("providers.none")}
          action=${html`
            <${Button} kind="primary" icon="add" onClick=${() => setShown({ what: "edit" })}>${t("providers.add")}<//>
          `}
        >
          ${t("providers.none_text")}
        <//>
      `
    }
    ${
      rows &&
      rows.length > 0 &&
      html`
        <div class="grid">
          ${rows.map(
            (/** @type {Provider} */ one) => html`
              <${One} key=${one.id} provider=${one} show=${setShown} />
            `,
          )}
        </div>
        <${Pager} more=${more} />
      `
    }
    ${
      shown?.what === "edit" &&
      html`
        <${ProviderDialog} provider=${provider} onClose=${close} />
      `
    }
    ${
      shown?.what === "usage" &&
      provider &&
      html`
        <${UsageDialog} provider=${provider} onClose=${close} />
      `
    }
    ${
      shown?.what === "remove" &&
      provider &&
      html`
        <${Ask}
          title=${t("providers.remove_title", { name: provider.name })}
          text=${t("providers.remove_text")}
          button=${t("providers.remove")}
          onClose=${close}
          act=${async () => {
            await api.delete(`${ALL}${provider.id}/`);
            invalidate(ALL);
          }}
        />
      `
    }
  `;
}

/**
 * @param {{ provider: Provider, show: (shown: { what: "edit" | "usage" | "remove", provider: Provider }) => void }}
 *   props
 */
function One({ provider, show }) {
  const [testing, setTesting] = useState(false);
  const { spending, breaker, daily_request_limit: calls = 0, monthly_budget_usd: budget = "0" } = provider;

  /** @param {string} kind */
  const test = async (kind) => {
    setTesting(true);
    try {
      const trial = await api.post(`${ALL}${provider.id}/test/`, { kind });
      if (trial.ok)
        toast(t("providers.test_ok", { ms: trial.latency_ms, cost: usd(trial.cost_usd, 6), model: trial.model }));
      else toast(trial.detail, { kind: "bad" });
    } catch (problem) {
      toastError(problem);
    }
    setTesting(false);
    invalidate(ALL);
  };
  const toggle = async () => {
    try {
      await api.post(`${ALL}${provider.id}/toggle/`);
    } catch (problem) {
      toastError(problem);
    }
    invalidate(ALL);
  };
  const items = [
    ...provider.kinds.map((kind) => ({
      text: t(`providers.test_${kind}`),
      icon: /** @type {const} */ ("play"),
      act: () => void test(kind),
    })),
    { text: t("providers.usage"), icon: /** @type {const} */ ("chart"), act: () => show({ what: "usage", provider }) },
    { text: t("providers.edit"), icon: /** @type {const} */ ("edit"), act: () => show({ what: "edit", provider }) },
    {
      text: t("providers.remove"),
      icon: /** @type {const} */ ("remove"),
      danger: true,
      act: () => show({ what: "remove", provider }),
    },
  ];
  return html`
    <${Card}
      title=${provider.name}
      actions=${html`
        <${Menu} label=${t("providers.menu", { name: provider.name })} items=${items} />
      `}
    >
      <div class="stack">
        <div class="row wrap">
          <${Badge}>${t(`providers.of_${provider.provider}`)}<//>
          ${provider.kinds.map(
            (kind) => html`
              <${Badge} key=${kind} kind="accent">${t(`providers.kind_${kind}`)}<//>
            `,
          )}
          <span class="small quiet">${t("providers.key", { last: provider.key_last_four })}</span>
        </div>
        <${Bar}
          label=${t("providers.month")}
          share=${shareOf(Number(spending.spent_this_month_usd), Number(budget))}
          words=${t("providers.of", { used: usd(spending.spent_this_month_usd), limit: usd(budget) })}
        />
        <${Bar}
          label=${t("providers.today")}
          share=${shareOf(spending.requests_today, calls)}
          words=${t("providers.of", { used: number(spending.requests_today), limit: number(calls) })}
        />
        ${
          breaker.state !== "closed" &&
          html`
            <${Notice} kind="warn">${t("providers.breaker", { detail: breaker.last_failure_detail ?? "" })}<//>
          `
        }
        ${
          breaker.state === "closed" &&
          breaker.last_failure_at &&
          html`
            <p class="small quiet">
              ${t("providers.last_failure", { when: relative(breaker.last_failure_at), detail: breaker.last_failure_detail ?? "" })}
            </p>
          `
        }
        <div class="row apart wrap">
          <${Switch} label=${t("providers.active")} checked=${provider.is_active ?? false} onValue=${toggle} />
          <span class="small quiet" role="status">
            ${
              testing
                ? t("providers.testing")
                : provider.last_used
                  ? t("providers.last_used", { when: relative(provider.last_used) })
                  : t("providers.never_used")
            }
          </span>
        </div>
      </div>
    <//>
  `;
}

/** @param {{ label: string, share: number, words: string }} props */
function Bar({ label, share, words }) {
  return html`
    <div class="stack tight">
      <div class="row apart">
        <span class="small strong">${label}</span>
        <span class="small quiet number">${words}</span>
      </div>
      <${Progress} share=${share} label=${label} kind=${kindOf(share)} />
    </div>
  `;
}
