/** All businesses, for sync2gear's staff: which run, which are on trial, which are locked. */

import "./texts.js";
import { api } from "../../common/api.js";
import { day, number, t } from "../../common/i18n.js";
import { invalidate, usePages } from "../../common/query.js";
import { go, query, setQuery } from "../../common/router.js";
import {
  Badge,
  Button,
  Card,
  Dialog,
  EmptyState,
  Failed,
  Form,
  PageHeader,
  Pager,
  Select,
  Skeleton,
  Table,
  TextField,
  sentence,
  toast,
  useForm,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Client"]} Client */

/** Which are shown, and what that asks of the API. @type {Record<string, Record<string, string>>} */
const SHOWN = {
  all: {},
  active: { status: "active" },
  trial: { status: "trial" },
  ending: { trial_ends_within_days: "7" },
  locked: { locked: "true" },
  deleting: { deleting: "true" },
};

/** The page. */
export default function Page() {
  const [making, setMaking] = useState(false);
  const which = query.value.get("show") ?? "all";
  const search = query.value.get("search") ?? "";
  const asked = new URLSearchParams({ ordering: "name", ...(SHOWN[which] ?? {}), ...(search && { search }) });
  const { rows, error, more, reload } = usePages(`/api/clients/?${asked}`);
  const columns = [
    {
      key: "name",
      title: t("businesses.business"),
      cell: (/** @type {Client} */ row) => html`
        <a class="strong" href=${`/businesses/${row.id}`}>${row.business_name}</a>
        <br />
        <span class="small quiet">${row.email}</span>
      `,
    },
    {
      key: "state",
      title: t("businesses.state"),
      cell: (/** @type {Client} */ row) => html`
        <${State} client=${row} />
      `,
    },
    {
      key: "trial",
      title: t("businesses.trial_until"),
      cell: (/** @type {Client} */ row) =>
        row.status === "trial" && row.trial_ends_at
          ? day(row.trial_ends_at, { year: true })
          : html`
              <span class="quiet">–</span>
            `,
    },
    {
      key: "floors",
      title: t("businesses.floors"),
      end: true,
      cell: (/** @type {Client} */ row) => `${number(row.floors_count)} / ${number(row.floors_allowed)}`,
    },
    {
      key: "speakers",
      title: t("businesses.online"),
      end: true,
      cell: (/** @type {Client} */ row) => `${number(row.devices_online)} / ${number(row.devices_count)}`,
    },
  ];
  return html`
    <${PageHeader} title=${t("frame.clients")}>
      <${Button} kind="primary" icon="add" onClick=${() => setMaking(true)}>${t("businesses.add")}<//>
    <//>
    <div class="fields">
      <${TextField}
        type="search"
        label=${t("businesses.search")}
        value=${search}
        onValue=${(/** @type {string} */ text) => setQuery({ search: text })}
      />
      <${Select}
        label=${t("businesses.show")}
        value=${which}
        onValue=${(/** @type {string} */ next) => setQuery({ show: next === "all" ? null : next })}
        options=${Object.keys(SHOWN).map((key) => [key, t(`businesses.show_${key}`)])}
      />
    </div>
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
        <${EmptyState} icon="search" title=${t("businesses.none")}>${t("businesses.none_text")}<//>
      `
    }
    ${
      rows &&
      rows.length > 0 &&
      html`
        <${Card} flush><${Table} label=${t("frame.clients")} rows=${rows} columns=${columns} /><//>
        <${Pager} more=${more} />
      `
    }
    ${
      making &&
      html`
        <${NewBusiness} onClose=${() => setMaking(false)} />
      `
    }
  `;
}

/** Whether a business may act, in a word. @param {{ client: Client }} props */
export function State({ client }) {
  if (client.deletion_confirmed_at)
    return html`
      <${Badge} kind="bad">${t("businesses.being_deleted")}<//>
    `;
  if (client.deletion_requested_at)
    return html`
      <${Badge} kind="bad">${t("businesses.to_be_deleted")}<//>
    `;
  if (client.lock)
    return html`
      <${Badge} kind="bad">${t(`businesses.lock_${client.lock.code}`)}<//>
    `;
  return html`
    <${Badge} kind=${client.status === "trial" ? "accent" : "good"}>${t(`businesses.status_${client.status}`)}<//>
  `;
}

/** @param {{ onClose: () => void }} props */
function NewBusiness({ onClose }) {
  const form = useForm(
    { business_name: "", email: "", telephone: "", timezone: "", trial_days: "14" },
    async ({ trial_days: days, timezone, ...values }) => {
      const made = await api.post("/api/clients/", {
        ...values,
        trial_days: Number(days),
        ...(timezone && { timezone }),
      });
      invalidate("/api/clients/");
      toast(t("businesses.made", { name: made.business_name }));
      go(`/businesses/${made.id}`);
    },
  );
  return html`
    <${Dialog} title=${t("businesses.add")} onClose=${onClose}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} onClick=${onClose}>${t("common.cancel")}<//>
          <${Button} kind="primary" type="submit" busy=${form.busy}>${t("businesses.add")}<//>
        `}
      >
        <${TextField} label=${t("businesses.name")} required maxlength="255" ...${form.of("business_name")} />
        <${TextField} label=${t("frame.email")} type="email" required ...${form.of("email")} />
        <${TextField} label=${t("frame.telephone")} type="tel" required maxlength="20" ...${form.of("telephone")} />
        <div class="fields">
          <${TextField}
            label=${t("businesses.zone")}
            placeholder="Europe/London"
            spellcheck=${false}
            ...${form.of("timezone")}
          />
          <${TextField}
            label=${t("businesses.trial_days")}
            type="number"
            min="1"
            max="365"
            ...${form.of("trial_days")}
          />
        </div>
      <//>
    <//>
  `;
}
