/** One business, for staff: its plan, its state, acting in its name, and its end. */

import "./texts.js";
import { ApiError, api } from "../../common/api.js";
import { day, number, t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { go } from "../../common/router.js";
import { borrow } from "../../common/session.js";
import {
  Ask,
  Button,
  Card,
  Dialog,
  Failed,
  Form,
  Notice,
  PageHeader,
  Select,
  Skeleton,
  Switch,
  TextArea,
  TextField,
  ZoneField,
  sentence,
  toast,
  toastError,
  useForm,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { State } from "./page.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Client"]} Client */

const BACK = () => ({ href: "/businesses", text: t("frame.clients") });

/** The page. @param {{ id: string }} props */
export default function Page({ id }) {
  const path = `/api/clients/${id}/`;
  const { data, error, reload } = useQuery(path);
  if (!data) {
    return html`
      <${PageHeader} title=${t("frame.clients")} back=${BACK()} />
      ${
        error
          ? html`
              <${Failed}
                words=${error instanceof ApiError && error.status === 404 ? t("frame.nowhere_text") : sentence(error)}
                onRetry=${reload}
              />
            `
          : html`
              <${Skeleton} />
            `
      }
    `;
  }
  return html`
    <${One} client=${data} path=${path} />
  `;
}

/** @param {{ client: Client, path: string }} props */
function One({ client, path }) {
  const [open, setOpen] = useState(/** @type {"act" | "extend" | "suspend" | "delete" | "confirm" | null} */ (null));
  const close = () => setOpen(null);
  const again = () => invalidate("/api/clients/");
  const { business_name: name, deletion_requested_at: asked, deletion_confirmed_at: confirmed } = client;

  /** @param {() => Promise<unknown>} act @param {string} said */
  const now = async (act, said) => {
    try {
      await act();
      toast(said);
    } catch (problem) {
      toastError(problem);
    }
    again();
  };
  return html`
    <${PageHeader} title=${client.business_name} lead=${client.email} back=${BACK()}>
      <${State} client=${client} />
      ${
        !asked &&
        html`
          <${Button} icon="staff" onClick=${() => setOpen("act")}>${t("businesses.act")}<//>
        `
      }
    <//>
    ${
      asked &&
      !confirmed &&
      html`
        <${Notice} kind="bad">
          <div class="row apart wrap">
            <span>${t("businesses.deletion_asked", { day: day(asked) })}</span>
            <span class="row">
              <${Button}
                size="small"
                onClick=${() => now(() => api.post(`${path}cancel-deletion/`), t("businesses.deletion_cancelled"))}
              >
                ${t("businesses.deletion_cancel")}
              <//>
              <${Button} size="small" kind="danger" onClick=${() => setOpen("confirm")}>
                ${t("businesses.deletion_confirm")}
              <//>
            </span>
          </div>
        <//>
      `
    }
    ${
      confirmed &&
      html`
        <${Notice} kind="bad">${t("businesses.deletion_runs")}<//>
      `
    }
    <div class="businesses-facts">
      ${[
        ["floors", `${number(client.floors_count)} / ${number(client.floors_allowed)}`],
        ["online", `${number(client.devices_online)} / ${number(client.devices_count)}`],
        ["people", number(client.users_count)],
        ["since", day(client.created_at, { year: true })],
      ].map(
        ([key, value]) => html`
          <div class="card" key=${key}>
            <div class="small quiet">${t(`businesses.${key}`)}</div>
            <div class="businesses-fact number">${value}</div>
          </div>
        `,
      )}
    </div>
    ${
      !asked &&
      html`
        <${Card} title=${t("businesses.access")}>
          <div class="row wrap">
            ${
              client.status !== "active" &&
              html`
                <${Button}
                  kind="primary"
                  icon="check"
                  onClick=${() => now(() => api.patch(path, { status: "active" }), t("businesses.activated"))}
                >
                  ${t("businesses.activate")}
                <//>
              `
            }
            ${
              client.status !== "active" &&
              html`
                <${Button} icon="schedule" onClick=${() => setOpen("extend")}>${t("businesses.extend")}<//>
              `
            }
            ${
              client.status !== "suspended" &&
              html`
                <${Button} icon="stop" onClick=${() => setOpen("suspend")}>${t("businesses.suspend")}<//>
              `
            }
            <span class="small quiet">
              ${
                client.trial_ends_at &&
                client.status === "trial" &&
                t("businesses.trial_ends", { day: day(client.trial_ends_at, { year: true }) })
              }
            </span>
          </div>
        <//>
      `
    }
    ${
      !confirmed &&
      html`
        <${Details} key=${client.id} client=${client} path=${path} />
      `
    }
    ${
      !asked &&
      html`
        <${Card} title=${t("businesses.delete")}>
          <div class="row apart wrap">
            <p class="quiet grow">${t("businesses.delete_hint")}</p>
            <${Button} icon="remove" onClick=${() => setOpen("delete")}>${t("businesses.delete")}<//>
          </div>
        <//>
      `
    }
    ${
      open === "act" &&
      html`
        <${Act} client=${client} onClose=${close} />
      `
    }
    ${
      open === "extend" &&
      html`
        <${Extend} path=${path} onClose=${close} />
      `
    }
    ${
      open === "suspend" &&
      html`
        <${Ask}
          title=${t("businesses.suspend_title", { name })}
          text=${t("businesses.suspend_text")}
          button=${t("businesses.suspend")}
          onClose=${close}
          act=${async () => {
            await api.patch(path, { status: "suspended" });
            again();
          }}
        />
      `
    }
    ${
      open === "delete" &&
      html`
        <${Ask}
          title=${t("businesses.delete_title", { name })}
          text=${t("businesses.delete_text")}
          button=${t("businesses.delete_lock")}
          onClose=${close}
          act=${async () => {
            await api.delete(path);
            again();
          }}
        />
      `
    }
    ${
      open === "confirm" &&
      html`
        <${Confirm} client=${client} path=${path} onClose=${close} />
      `
    }
  `;
}

/** What the form holds of a business. @param {Client} client */
const draftOf = (client) => ({
  business_name: client.business_name,
  name: client.name ?? "",
  email: client.email,
  telephone: client.telephone,
  timezone: client.timezone ?? "",
  ai_credits: client.ai_credits ?? 0,
  multi_floor_enabled: client.multi_floor_enabled ?? false,
  max_floors: client.max_floors ?? 1,
  subscription_status: client.subscription_status ?? "trial",
  subscription_price: client.subscription_price ?? "0.00",
  description: client.description ?? "",
});

/** What staff may set. @param {{ client: Client, path: string }} props */
function Details({ client, path }) {
  const form = useForm(
    draftOf(client),
    async (values, sending) => {
      const body = { ...values, ai_credits: Number(values.ai_credits), max_floors: Number(values.max_floors) };
      await api.patch(path, body, sending);
      invalidate("/api/clients/");
      toast(t("businesses.saved"));
    },
    { row: { path, draft: draftOf } },
  );
  const plans = /** @type {const} */ (["trial", "active", "past_due", "cancelled", "trial_ended"]);
  return html`
    <${Card} title=${t("businesses.details")}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} kind="primary" type="submit" busy=${form.busy}>${t("frame.save")}<//>
        `}
      >
        <div class="fields">
          <${TextField} label=${t("businesses.name")} required ...${form.of("business_name")} />
          <${TextField} label=${t("businesses.contact")} required ...${form.of("name")} />
          <${TextField} label=${t("frame.email")} type="email" required ...${form.of("email")} />
          <${TextField} label=${t("frame.telephone")} type="tel" required ...${form.of("telephone")} />
          <${ZoneField} label=${t("businesses.zone")} required ...${form.of("timezone")} />
          <${TextField} label=${t("businesses.credits")} type="number" min="0" ...${form.of("ai_credits")} />
          <${Select}
            label=${t("businesses.subscription")}
            hint=${t("businesses.subscription_hint")}
            options=${plans.map((each) => [each, t(`businesses.plan_${each}`)])}
            ...${form.of("subscription_status")}
          />
          <${TextField} label=${t("businesses.price")} inputmode="decimal" ...${form.of("subscription_price")} />
          <${TextField}
            label=${t("businesses.max_floors")}
            type="number"
            min="1"
            disabled=${!form.values.multi_floor_enabled}
            ...${form.of("max_floors")}
          />
        </div>
        <${Switch} checkbox label=${t("businesses.multi_floor")} ...${form.of("multi_floor_enabled")} />
        <${TextArea} label=${t("businesses.description")} ...${form.of("description")} />
      <//>
    <//>
  `;
}

/** Acting in the business's name. @param {{ client: Client, onClose: () => void }} props */
function Act({ client, onClose }) {
  const form = useForm({ reason: "" }, async ({ reason }) => {
    await borrow(client.id, reason);
    go("/");
  });
  return html`
    <${Dialog} title=${t("businesses.act_title", { name: client.business_name })} onClose=${onClose}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} onClick=${onClose}>${t("common.cancel")}<//>
          <${Button} kind="primary" type="submit" busy=${form.busy}>${t("businesses.act_go")}<//>
        `}
      >
        <p>${t("businesses.act_text")}</p>
        <${TextField}
          label=${t("businesses.reason")}
          hint=${t("businesses.reason_hint")}
          required
          minlength="5"
          maxlength="500"
          ...${form.of("reason")}
        />
      <//>
    <//>
  `;
}

/** @param {{ path: string, onClose: () => void }} props */
function Extend({ path, onClose }) {
  const form = useForm({ days: "14" }, async ({ days }) => {
    const client = await api.post(`${path}extend-trial/`, { days: Number(days) });
    invalidate("/api/clients/");
    toast(t("businesses.trial_ends", { day: day(client.trial_ends_at, { year: true }) }));
    onClose();
  });
  return html`
    <${Dialog} title=${t("businesses.extend")} onClose=${onClose}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} onClick=${onClose}>${t("common.cancel")}<//>
          <${Button} kind="primary" type="submit" busy=${form.busy}>${t("businesses.extend")}<//>
        `}
      >
        <${TextField}
          label=${t("businesses.days")}
          hint=${t("businesses.days_hint")}
          type="number"
          min="1"
          max="365"
          ...${form.of("days")}
        />
      <//>
    <//>
  `;
}

/**
 * The second step of a deletion: its name, letter by letter.
 * @param {{ client: Client, path: string, onClose: () => void }} props
 */
function Confirm({ client, path, onClose }) {
  const form = useForm({ name: "" }, async (values) => {
    await api.post(`${path}confirm-deletion/`, values);
    invalidate("/api/clients/");
    onClose();
  });
  return html`
    <${Dialog} title=${t("businesses.deletion_confirm")} onClose=${onClose}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} onClick=${onClose}>${t("common.cancel")}<//>
          <${Button} kind="danger" type="submit" busy=${form.busy} disabled=${form.values.name !== client.name}>
            ${t("businesses.deletion_confirm")}
          <//>
        `}
      >
        <p>${t("businesses.confirm_text")}</p>
        <${TextField}
          label=${t("businesses.confirm_name", { name: client.name ?? "" })}
          autocomplete="off"
          spellcheck=${false}
          ...${form.of("name")}
        />
      <//>
    <//>
  `;
}
