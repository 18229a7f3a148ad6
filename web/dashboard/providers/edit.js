/** An account at a provider: its key, which is never shown again, its limits, and what it is asked for. */

import "./texts.js";
import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { invalidate } from "../../common/query.js";
import { Button, Dialog, Form, PasswordField, Select, TextField, toast, useForm } from "../../common/ui.js";
import { html } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Provider"]} Provider */

const ALL = "/api/ai-providers/";
const PROVIDERS = /** @type {const} */ (["elevenlabs", "openai", "google", "anthropic"]);
/** Left empty they are the provider's usual ones. */
const PRICES = /** @type {const} */ ([
  "price_per_1000_characters_usd",
  "price_per_1000_input_tokens_usd",
  "price_per_1000_output_tokens_usd",
]);

/** What the form holds of an account, or of one to be added; never its key. @param {Provider} [provider] */
const draftOf = (provider) => ({
  name: provider?.name ?? "",
  provider: provider?.provider ?? "elevenlabs",
  api_key: "",
  order: provider?.order ?? 10,
  base_url: provider?.base_url ?? "",
  speech_model: provider?.speech_model ?? "",
  copy_model: provider?.copy_model ?? "",
  default_voice: provider?.default_voice ?? "",
  daily_request_limit: provider?.daily_request_limit ?? 1000,
  monthly_budget_usd: provider?.monthly_budget_usd ?? "50.00",
  price_per_1000_characters_usd: provider?.price_per_1000_characters_usd ?? "",
  price_per_1000_input_tokens_usd: provider?.price_per_1000_input_tokens_usd ?? "",
  price_per_1000_output_tokens_usd: provider?.price_per_1000_output_tokens_usd ?? "",
});

/** @param {{ provider?: Provider, onClose: () => void }} props without a provider it makes one */
export function ProviderDialog({ provider, onClose }) {
  const path = provider ? `${ALL}${provider.id}/` : null;
  const form = useForm(
    draftOf(provider),
    async ({ api_key: key, provider: kind, ...values }, sending) => {
      const body = {
        ...values,
        order: Number(values.order),
        daily_request_limit: Number(values.daily_request_limit),
        ...Object.fromEntries(PRICES.map((name) => [name, values[name] || null])),
        ...(key && { api_key: key }),
      };
      if (path) await api.patch(path, body, sending);
      else await api.post(ALL, { ...body, provider: kind }, sending);
      invalidate(ALL);
      toast(t("providers.saved"));
      onClose();
    },
    { row: { path, draft: draftOf } },
  );
  const usual = provider?.in_force;
  return html`
    <${Dialog}
      wide
      title=${provider ? t("providers.edit_title", { name: provider.name }) : t("providers.add")}
      onClose=${onClose}
    >
      <${Form}
        form=${form}
        actions=${html`
          <${Button} onClick=${onClose}>${t("common.cancel")}<//>
          <${Button} kind="primary" type="submit" busy=${form.busy}>${t("frame.save")}<//>
        `}
      >
        <div class="fields">
          <${TextField} label=${t("providers.name")} required maxlength="255" ...${form.of("name")} />
          ${
            !provider &&
            html`
              <${Select}
                label=${t("providers.provider")}
                options=${PROVIDERS.map((each) => [each, t(`providers.of_${each}`)])}
                ...${form.of("provider")}
              />
            `
          }
          <${PasswordField}
            label=${t("providers.api_key")}
            hint=${provider ? t("providers.api_key_keep", { last: provider.key_last_four }) : t("providers.api_key_hint")}
            autocomplete="off"
            ...${form.of("api_key")}
          />
        </div>
        <div class="fields">
          <${TextField}
            label=${t("providers.budget")}
            inputmode="decimal"
            hint=${t("providers.budget_hint")}
            ...${form.of("monthly_budget_usd")}
          />
          <${TextField}
            label=${t("providers.limit")}
            type="number"
            min="0"
            hint=${t("providers.limit_hint")}
            ...${form.of("daily_request_limit")}
          />
          <${TextField}
            label=${t("providers.order")}
            type="number"
            min="0"
            hint=${t("providers.order_hint")}
            ...${form.of("order")}
          />
        </div>
        <details class="stack">
          <summary>${t("providers.more")}</summary>
          <div class="fields providers-more">
            <${TextField}
              label=${t("providers.speech_model")}
              placeholder=${usual?.speech_model ?? ""}
              ...${form.of("speech_model")}
            />
            <${TextField}
              label=${t("providers.copy_model")}
              placeholder=${usual?.copy_model ?? ""}
              ...${form.of("copy_model")}
            />
            <${TextField}
              label=${t("providers.default_voice")}
              placeholder=${usual?.default_voice ?? ""}
              ...${form.of("default_voice")}
            />
            ${PRICES.map(
              (name) => html`
                <${TextField}
                  key=${name}
                  label=${t(`providers.${name}`)}
                  inputmode="decimal"
                  placeholder=${usual?.[name] ?? ""}
                  ...${form.of(name)}
                />
              `,
            )}
            <${TextField}
              label=${t("providers.base_url")}
              type="url"
              placeholder="https://"
              ...${form.of("base_url")}
            />
          </div>
        </details>
      <//>
    <//>
  `;
}
