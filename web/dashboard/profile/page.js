/** One's own account: name and picture, address, password, and where one is signed in. */

import "./texts.js";
import { api, upload } from "../../common/api.js";
import { dayAndTime, relative, t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { goOn, look, me, signOut } from "../../common/session.js";
import {
  Avatar,
  Badge,
  Button,
  Card,
  Dialog,
  Failed,
  Form,
  Icon,
  Notice,
  PageHeader,
  PasswordField,
  Skeleton,
  TextField,
  sentence,
  toast,
  toastError,
  useForm,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { browserOf } from "./browsers.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["UserSession"]} UserSession */

const MINE = "/api/auth/me/";

/** The page. While staff act as this person, who may enter with what is not theirs to see or change. */
export default function Page() {
  const person = me.value;
  if (!person) return null;
  return html`
    <${PageHeader} title=${t("frame.profile")} lead=${t("profile.lead", { email: person.email })} />
    <${Who} />
    ${
      person.impersonation
        ? html`
            <${Notice}>${t("profile.borrowed")}<//>
          `
        : html`
            <div class="grid profile-pair">
              <${Address} />
              <${Password} />
            </div>
            <${Sessions} />
          `
    }
  `;
}

/** What the form holds of a person. @param {import("../../common/session.js").Me} person */
const draftOf = ({ name, phone }) => ({ name, phone });

/** Name, telephone and picture. */
function Who() {
  const [busy, setBusy] = useState(false);
  const person = /** @type {import("../../common/session.js").Me} */ (me.value);
  const form = useForm(
    draftOf(person),
    async (values, sending) => {
      await api.patch(MINE, values, sending);
      await look();
      toast(t("profile.saved"));
    },
    { row: { path: MINE, draft: draftOf } },
  );

  /** @param {() => Promise<unknown>} act */
  const picture = async (act) => {
    setBusy(true);
    try {
      await act();
      await look();
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
  };
  const choose = (/** @type {any} */ event) => {
    const [file] = event.currentTarget.files;
    event.currentTarget.value = "";
    if (!file) return;
    const body = new FormData();
    body.append("file", file);
    void picture(() => upload(`${MINE}avatar/`, body, { method: "PUT" }));
  };

  return html`
    <${Card} title=${t("profile.who")}>
      <div class="profile-who">
        <div class="stack profile-picture" aria-busy=${busy}>
          <${Avatar} name=${person.name || person.email} url=${person.avatar} />
          <label class="button small">
            <${Icon} name="upload" />
            ${t("profile.picture")}
            <input
              class="unseen"
              type="file"
              accept="image/jpeg,image/png,image/webp"
              disabled=${busy}
              onChange=${choose}
            />
          </label>
          ${
            person.avatar &&
            html`
              <${Button}
                kind="plain"
                size="small"
                busy=${busy}
                onClick=${() => picture(() => api.delete(`${MINE}avatar/`))}
              >
                ${t("profile.picture_remove")}
              <//>
            `
          }
        </div>
        <div class="grow">
          <${Form}
            form=${form}
            actions=${html`
              <${Button} kind="primary" type="submit" busy=${form.busy}>${t("frame.save")}<//>
            `}
          >
            <${TextField}
              label=${t("frame.your_name")}
              autocomplete="name"
              maxlength="150"
              required
              ...${form.of("name")}
            />
            <${TextField}
              label=${t("frame.telephone")}
              type="tel"
              autocomplete="tel"
              maxlength="20"
              ...${form.of("phone")}
            />
          <//>
        </div>
      </div>
    <//>
  `;
}

/** The address one signs in with. */
function Address() {
  const before = me.value?.email ?? "";
  const form = useForm({ email: before, current_password: "" }, async (values) => {
    await api.patch(MINE, values);
    await look();
    form.set({ current_password: "" });
    toast(t("profile.address_changed", { email: values.email }));
  });
  return html`
    <${Card} title=${t("frame.email")}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} type="submit" busy=${form.busy} disabled=${form.values.email === before}>
            ${t("profile.address_change")}
          <//>
        `}
      >
        <${TextField}
          label=${t("profile.address_new")}
          type="email"
          autocomplete="email"
          required
          ...${form.of("email")}
        />
        <${PasswordField}
          label=${t("profile.current")}
          autocomplete="current-password"
          required
          ...${form.of("current_password")}
        />
      <//>
    <//>
  `;
}

/** The password; a new one ends every other session. */
function Password() {
  const form = useForm({ current_password: "", password: "" }, async (values) => {
    const changed = await api.patch(MINE, values);
    goOn(changed);
    invalidate("/api/auth/sessions/");
    form.set({ current_password: "", password: "" });
    toast(t("profile.password_changed"));
  });
  return html`
    <${Card} title=${t("frame.password")}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} type="submit" busy=${form.busy} disabled=${!form.values.password}>
            ${t("profile.password_change")}
          <//>
        `}
      >
        <${PasswordField}
          label=${t("profile.current")}
          autocomplete="current-password"
          required
          ...${form.of("current_password")}
        />
        <${PasswordField}
          label=${t("profile.password_new")}
          hint=${t("frame.password_rule")}
          autocomplete="new-password"
          required
          ...${form.of("password")}
        />
      <//>
    <//>
  `;
}

/** Where one is signed in, and an end to all of it. */
function Sessions() {
  const { data, error, reload } = useQuery("/api/auth/sessions/");
  const [leaving, setLeaving] = useState(false);
  return html`
    <${Card}
      title=${t("profile.sessions")}
      actions=${html`
        <${Button} size="small" icon="leave" onClick=${() => setLeaving(true)}>${t("profile.everywhere")}<//>
      `}
    >
      ${
        error &&
        !data &&
        html`
          <${Failed} words=${sentence(error)} onRetry=${reload} />
        `
      }
      ${
        !data &&
        !error &&
        html`
          <${Skeleton} lines=${2} />
        `
      }
      ${
        data &&
        html`
          <ul class="list">
            ${data.map(
              (/** @type {UserSession} */ one) => html`
                <li key=${one.id}>
                  <${Icon} name="screen" />
                  <span class="grow stack profile-session">
                    <span class="strong">${browserOf(one.user_agent ?? "") || t("profile.unknown")}</span>
                    <span class="small quiet">
                      ${[one.ip_address, t("profile.since", { when: dayAndTime(one.began_at ?? "") })].filter(Boolean).join(" · ")}
                    </span>
                  </span>
                  ${
                    one.current
                      ? html`
                          <${Badge} kind="good">${t("profile.here")}<//>
                        `
                      : html`
                          <span class="small quiet">${relative(one.used_at ?? "")}</span>
                        `
                  }
                </li>
              `,
            )}
          </ul>
        `
      }
      ${
        leaving &&
        html`
          <${Leave} onClose=${() => setLeaving(false)} />
        `
      }
    <//>
  `;
}

/** @param {{ onClose: () => void }} props */
function Leave({ onClose }) {
  const form = useForm({ current_password: "" }, async (values) => {
    await api.post("/api/auth/logout-everywhere/", values);
    await signOut();
  });
  return html`
    <${Dialog} title=${t("profile.everywhere")} onClose=${onClose}>
      <p>${t("profile.everywhere_text")}</p>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} onClick=${onClose}>${t("common.cancel")}<//>
          <${Button} kind="danger" type="submit" busy=${form.busy}>${t("profile.everywhere")}<//>
        `}
      >
        <${PasswordField}
          label=${t("profile.current")}
          autocomplete="current-password"
          required
          ...${form.of("current_password")}
        />
      <//>
    <//>
  `;
}
