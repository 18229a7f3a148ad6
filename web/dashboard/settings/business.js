/** Who the business is, in which zone it tells the time, and what its plan allows. */

import "./texts.js";
import { api } from "../../common/api.js";
import { day, number, t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { locked, look, zone } from "../../common/session.js";
import {
  Badge,
  Button,
  Card,
  Failed,
  Form,
  Skeleton,
  TextArea,
  TextField,
  sentence,
  toast,
  useForm,
} from "../../common/ui.js";
import { html, useId } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Business"]} BusinessRow */

const MINE = "/api/business/";

/** How a plan's state is coloured. */
const STATES = /** @type {const} */ ({ active: "good", trial: "accent", suspended: "bad" });

/** What the business may change of itself, beside what it is told. */
export function Business() {
  const { data, error, reload } = useQuery(MINE);
  if (error && !data)
    return html`
      <${Failed} words=${sentence(error)} onRetry=${reload} />
    `;
  if (!data)
    return html`
      <${Skeleton} />
    `;
  return html`
    <div class="settings-top">
      <${Details} key=${data.id} business=${data} />
      <${Plan} business=${data} />
    </div>
  `;
}

/** @param {{ business: BusinessRow }} props */
function Details({ business }) {
  const { name, telephone, timezone, description, announcement_gap_minutes: gap } = business;
  const form = useForm(
    { name, telephone, timezone: timezone ?? "", description: description ?? "", announcement_gap_minutes: gap ?? 0 },
    async (values) => {
      await api.patch(MINE, { ...values, announcement_gap_minutes: Number(values.announcement_gap_minutes) });
      invalidate(MINE);
      await look();
      toast(t("settings.saved"));
    },
  );
  const zones = useId();
  return html`
    <${Card} title=${business.business_name} class="grow">
      <${Form}
        form=${form}
        actions=${
          !locked.value &&
          html`
            <${Button} kind="primary" type="submit" busy=${form.busy}>${t("frame.save")}<//>
          `
        }
      >
        <div class="fields">
          <${TextField} label=${t("settings.contact")} maxlength="255" required ...${form.of("name")} />
          <${TextField} label=${t("frame.telephone")} type="tel" maxlength="20" required ...${form.of("telephone")} />
        </div>
        <${TextField}
          label=${t("settings.zone")}
          hint=${t("settings.zone_hint")}
          list=${zones}
          autocomplete="off"
          spellcheck=${false}
          required
          ...${form.of("timezone")}
        />
        <datalist id=${zones}>
          ${Intl.supportedValuesOf("timeZone").map(
            (each) => html`
              <option key=${each} value=${each} />
            `,
          )}
        </datalist>
        <${TextField}
          label=${t("settings.gap")}
          hint=${t("settings.gap_hint")}
          type="number"
          min="0"
          max="720"
          inputmode="numeric"
          ...${form.of("announcement_gap_minutes")}
        />
        <${TextArea}
          label=${t("settings.description")}
          hint=${t("settings.description_hint")}
          ...${form.of("description")}
        />
      <//>
    <//>
  `;
}

/** @param {{ business: BusinessRow }} props */
function Plan({ business }) {
  return html`
    <${Card}
      title=${t("settings.plan")}
      actions=${html`
        <${Badge} kind=${STATES[business.status]}>${t(`settings.status_${business.status}`)}<//>
      `}
    >
      <dl class="settings-facts">
        ${
          business.status === "trial" &&
          business.trial_ends_at &&
          html`
            <dt>${t("settings.trial_until")}</dt>
            <dd>${day(business.trial_ends_at, { zone: zone.value, year: true })}</dd>
          `
        }
        <dt>${t("settings.floors")}</dt>
        <dd class="number">
          ${t("settings.of_allowed", { used: business.floors_used, allowed: business.floors_allowed })}
        </dd>
        <dt>${t("settings.ai_credits")}</dt>
        <dd class="number">${number(business.ai_credits)}</dd>
        <dt>${t("frame.email")}</dt>
        <dd>${business.email}</dd>
      </dl>
      <p class="small quiet">${t("settings.plan_hint")}</p>
    <//>
  `;
}
