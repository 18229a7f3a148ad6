/** The business's own systems that are told what happens (docs/webhooks.md). */

import "./texts.js";
import { api } from "../../common/api.js";
import { dayAndTime, relative, t } from "../../common/i18n.js";
import { invalidate, usePages } from "../../common/query.js";
import { locked } from "../../common/session.js";
import {
  Ask,
  Badge,
  Button,
  Card,
  Dialog,
  EmptyState,
  Failed,
  Form,
  IconButton,
  Menu,
  Notice,
  Pager,
  Skeleton,
  Switch,
  Table,
  TextField,
  sentence,
  toast,
  toastError,
  useForm,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Webhook"]} Webhook */
/** @typedef {import("../../.types/api.js").components["schemas"]["WebhookDelivery"]} Delivery */
/** @typedef {import("../../.types/api.js").components["schemas"]["EventsEnum"]} EventType */

const ALL = "/api/webhooks/";

/** What can be told, in the order in which it is offered. @type {EventType[]} */
const EVENTS = ["play.failed", "device.offline", "device.online", "announcement.ready", "announcement.failed"];

/** @typedef {"edit" | "deliveries" | "rotate" | "remove"} What */

/** All webhooks, and what can be done with them. */
export function Webhooks() {
  const { rows, error, more, reload } = usePages(ALL);
  const [shown, setShown] = useState(/** @type {{ what: What, hook?: Webhook } | null} */ (null));
  const [secret, setSecret] = useState("");
  const close = () => setShown(null);
  const hook = shown?.hook;

  /** @param {Webhook} one */
  const test = async (one) => {
    try {
      const told = await api.post(`${ALL}${one.id}/test/`);
      if (told.status === "delivered")
        toast(t("settings.hook_tested", { status: told.response_status ?? 0, ms: told.duration_ms ?? 0 }));
      else toast(told.error || t("settings.delivery_failed"), { kind: "bad" });
    } catch (problem) {
      toastError(problem);
    }
    invalidate(ALL);
  };
  /** @param {Webhook} one @param {What} what */
  const entry = (one, what) => () => setShown({ what, hook: one });
  /** @param {Webhook} one */
  const items = (one) => [
    { text: t("settings.hook_test"), icon: /** @type {const} */ ("play"), act: () => void test(one) },
    { text: t("settings.deliveries"), icon: /** @type {const} */ ("history"), act: entry(one, "deliveries") },
    { text: t("settings.change"), icon: /** @type {const} */ ("edit"), act: entry(one, "edit") },
    { text: t("settings.secret_new"), icon: /** @type {const} */ ("key"), act: entry(one, "rotate") },
    { text: t("settings.hook_remove"), icon: /** @type {const} */ ("remove"), danger: true, act: entry(one, "remove") },
  ];
  return html`
    <${Card}
      title=${t("settings.webhooks")}
      actions=${
        !locked.value &&
        html`
          <${Button} size="small" icon="add" onClick=${() => setShown({ what: "edit" })}>${t("settings.hook_add")}<//>
        `
      }
    >
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
          <${Skeleton} lines=${1} />
        `
      }
      ${
        rows?.length === 0 &&
        html`
          <${EmptyState} icon="link" title=${t("settings.no_hook")}>${t("settings.no_hook_text")}<//>
        `
      }
      ${
        rows &&
        rows.length > 0 &&
        html`
          <ul class="list">
            ${rows.map(
              (/** @type {Webhook} */ one) => html`
                <li key=${one.id}>
                  <span class="grow stack settings-hook">
                    <span class="strong cut">${one.description || one.url}</span>
                    ${
                      one.description &&
                      html`
                        <span class="small quiet cut">${one.url}</span>
                      `
                    }
                    <span class="small quiet">
                      ${one.events.map((/** @type {string} */ each) => t(`settings.event_${each}`)).join(", ")}
                    </span>
                  </span>
                  <${State} hook=${one} />
                  ${
                    !locked.value &&
                    html`
                      <${Menu}
                        label=${t("settings.hook_menu", { name: one.description || one.url })}
                        items=${items(one)}
                      />
                    `
                  }
                </li>
              `,
            )}
          </ul>
          <${Pager} more=${more} />
        `
      }
      ${
        shown?.what === "edit" &&
        html`
          <${HookDialog} hook=${hook} onClose=${close} onSecret=${setSecret} />
        `
      }
      ${
        shown?.what === "deliveries" &&
        hook &&
        html`
          <${Deliveries} hook=${hook} onClose=${close} />
        `
      }
      ${
        shown?.what === "rotate" &&
        hook &&
        html`
          <${Ask}
            title=${t("settings.secret_new")}
            text=${t("settings.secret_new_text")}
            button=${t("settings.secret_new")}
            kind="primary"
            onClose=${close}
            act=${async () => {
              setSecret((await api.post(`${ALL}${hook.id}/rotate-secret/`)).secret);
              invalidate(ALL);
            }}
          />
        `
      }
      ${
        shown?.what === "remove" &&
        hook &&
        html`
          <${Ask}
            title=${t("settings.hook_remove_title")}
            text=${hook.url}
            button=${t("settings.hook_remove")}
            onClose=${close}
            act=${async () => {
              await api.delete(`${ALL}${hook.id}/`);
              invalidate(ALL);
            }}
          />
        `
      }
      ${
        secret &&
        html`
          <${Secret} secret=${secret} onClose=${() => setSecret("")} />
        `
      }
    <//>
  `;
}

/** Whether it works. @param {{ hook: Webhook }} props */
function State({ hook }) {
  if (hook.switched_off)
    return html`
      <${Badge} kind="bad">${t(`settings.off_${hook.switched_off}`)}<//>
    `;
  if (!hook.is_active)
    return html`
      <${Badge}>${t("settings.off")}<//>
    `;
  if (hook.failing_since)
    return html`
      <${Badge} kind="warn">${t("settings.failing", { when: relative(hook.failing_since) })}<//>
    `;
  return html`
    <${Badge} kind="good">${t("settings.works")}<//>
  `;
}

/** What the form holds of a webhook, or of one to be added. @param {Webhook} [hook] */
const draftOf = (hook) => ({
  url: hook?.url ?? "",
  description: hook?.description ?? "",
  events: hook?.events ?? /** @type {EventType[]} */ (["play.failed", "device.offline"]),
  is_active: hook?.is_active ?? true,
});

/**
 * @param {{ hook?: Webhook, onClose: () => void, onSecret: (secret: string) => void }} props without a hook it makes
 *   one
 */
function HookDialog({ hook, onClose, onSecret }) {
  const path = hook ? `${ALL}${hook.id}/` : null;
  const form = useForm(
    draftOf(hook),
    async (values, sending) => {
      if (path) await api.patch(path, values, sending);
      else onSecret((await api.post(ALL, values, sending)).secret);
      invalidate(ALL);
      onClose();
    },
    { row: { path, draft: draftOf } },
  );
  const events = form.of("events");
  const chosen = new Set(form.values.events);
  return html`
    <${Dialog} title=${hook ? t("settings.hook_edit") : t("settings.hook_add")} onClose=${onClose}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} onClick=${onClose}>${t("common.cancel")}<//>
          <${Button} kind="primary" type="submit" busy=${form.busy}>${t("frame.save")}<//>
        `}
      >
        <${TextField}
          label=${t("settings.hook_url")}
          hint=${t("settings.hook_url_hint")}
          type="url"
          inputmode="url"
          placeholder="https://"
          required
          ...${form.of("url")}
        />
        <${TextField} label=${t("settings.hook_description")} maxlength="200" ...${form.of("description")} />
        <fieldset class="stack tight">
          <legend class="strong">${t("settings.hook_events")}</legend>
          ${EVENTS.map(
            (each) => html`
              <${Switch}
                key=${each}
                checkbox
                label=${t(`settings.event_${each}`)}
                checked=${chosen.has(each)}
                onValue=${(/** @type {boolean} */ on) => events.onValue(EVENTS.filter((one) => (one === each ? on : chosen.has(one))))}
              />
            `,
          )}
          ${
            events.error &&
            html`
              <span class="bad small" role="alert">${events.error}</span>
            `
          }
        </fieldset>
        ${
          hook &&
          html`
            <${Switch} label=${t("settings.hook_active")} ...${form.of("is_active")} />
          `
        }
      <//>
    <//>
  `;
}

/** The secret, which the server tells this once. @param {{ secret: string, onClose: () => void }} props */
function Secret({ secret, onClose }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      toast(t("settings.copied"));
    } catch {
      toast(t("settings.copy_yourself"), { kind: "bad" }); // no permission, or a page without HTTPS
    }
  };
  return html`
    <${Dialog} title=${t("settings.secret")} onClose=${onClose}>
      <${Notice} kind="warn">${t("settings.secret_once")}<//>
      <div class="row">
        <input
          class="input settings-secret"
          readonly
          value=${secret}
          aria-label=${t("settings.secret")}
          onFocus=${(/** @type {any} */ event) => event.currentTarget.select()}
        />
        <${IconButton} icon="copy" label=${t("settings.copy")} onClick=${copy} />
      </div>
      <div class="actions"><${Button} kind="primary" onClick=${onClose}>${t("settings.secret_kept")}<//></div>
    <//>
  `;
}

/** What was sent, newest first, each to be sent again. @param {{ hook: Webhook, onClose: () => void }} props */
function Deliveries({ hook, onClose }) {
  const path = `${ALL}${hook.id}/deliveries/`;
  const { rows, error, more, reload } = usePages(path);
  const again = async (/** @type {Delivery} */ one) => {
    try {
      await api.post(`${path}${one.id}/redeliver/`);
      toast(t("settings.again_sent"));
    } catch (problem) {
      toastError(problem);
    }
    invalidate(path);
  };
  const columns = [
    {
      key: "when",
      title: t("settings.when"),
      cell: (/** @type {Delivery} */ row) => dayAndTime(row.created_at, { seconds: true }),
    },
    { key: "what", title: t("settings.what"), cell: (/** @type {Delivery} */ row) => t(`settings.event_${row.type}`) },
    {
      key: "state",
      title: t("settings.state"),
      cell: (/** @type {Delivery} */ row) => html`
        <${Badge} kind=${/** @type {const} */ ({ delivered: "good", pending: "plain", failed: "bad" })[row.status]}>
          ${t(`settings.delivery_${row.status}`)}
        <//>
        ${
          row.error &&
          html`
            <br />
            <span class="small quiet">${row.error}</span>
          `
        }
      `,
    },
    { key: "tries", title: t("settings.attempts"), end: true, cell: (/** @type {Delivery} */ row) => row.attempts },
    {
      key: "again",
      title: "",
      end: true,
      cell: (/** @type {Delivery} */ row) =>
        row.status === "failed" &&
        html`
          <${Button} size="small" icon="refresh" onClick=${() => again(row)}>${t("settings.again")}<//>
        `,
    },
  ];
  return html`
    <${Dialog} wide title=${t("settings.deliveries")} onClose=${onClose}>
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
          <p class="quiet">${t("settings.nothing_sent")}</p>
        `
      }
      ${
        rows &&
        rows.length > 0 &&
        html`
          <${Table} label=${t("settings.deliveries")} rows=${rows} columns=${columns} />
          <${Pager} more=${more} />
        `
      }
    <//>
  `;
}
