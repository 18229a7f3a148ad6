/** Who the business is, in which zone it tells the time, and what its plan allows. */

import "./texts.js";
import { api } from "../../common/api.js";
import { day, number, t, time } from "../../common/i18n.js";
import { now } from "../../common/live.js";
import { invalidate, useQuery } from "../../common/query.js";
import { locked, look, zone } from "../../common/session.js";
import {
  Badge,
  Button,
  Card,
  Failed,
  Form,
  Notice,
  Skeleton,
  TextArea,
  TextField,
  ZoneField,
  sentence,
  toast,
  useForm,
} from "../../common/ui.js";
import { html } from "../../common/view.js";
import { ahead, zones } from "../../common/zones.js";

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

/** What the form holds of the business. @param {BusinessRow} business */
const draftOf = ({ name, telephone, timezone, description, announcement_gap_minutes: gap }) => ({
  name,
  telephone,
  timezone: timezone ?? "",
  description: description ?? "",
  announcement_gap_minutes: gap ?? 0,
});

/** What another zone does to all that goes by the clock. @param {{ from: string, to: string }} props */
function Moves({ from, to }) {
  const at = now.value;
  const times = { from, to, then: time(at, { zone: from }), there: time(at, { zone: to }) };
  const hours = (ahead(at, to) - ahead(at, from)) / 3_600_000;
  return html`<${Notice} kind="warn" role="status">
    <p>${t("settings.zone_moves", times)}</p>
    <p class="small">${
      hours
        ? t(hours > 0 ? "settings.zone_earlier" : "settings.zone_later", { n: Math.abs(hours) })
        : t("settings.zone_same")
    }</p>
  <//>`;
}

/** @param {{ business: BusinessRow }} props */
function Details({ business }) {
  const form = useForm(
    draftOf(business),
    async (values, sending) => {
      const body = { ...values, announcement_gap_minutes: Number(values.announcement_gap_minutes) };
      await api.patch(MINE, body, sending);
      invalidate(MINE, "/api/floors/", "/api/schedules/");
      await look();
      toast(t("settings.saved"));
    },
    { row: { path: MINE, draft: draftOf } },
  );
  const before = business.timezone ?? "";
  const moves = form.values.timezone !== before && zones().includes(form.values.timezone);
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
        <${ZoneField} label=${t("settings.zone")} hint=${t("settings.zone_hint")} required ...${form.of("timezone")} />
        ${moves && html`<${Moves} from=${before} to=${form.values.timezone} />`}
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
