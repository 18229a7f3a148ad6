/** Inviting somebody, or changing what they may do. */

import "./texts.js";
import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { invalidate, useQuery } from "../../common/query.js";
import { Button, Dialog, Form, Notice, Segments, Select, TextField, toast, useForm } from "../../common/ui.js";
import { html } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["User"]} User */
/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */

/** What the form holds of a person, or of one to be invited. @param {User} [user] */
const draftOf = (user) => ({
  name: user?.name ?? "",
  email: user?.email ?? "",
  phone: user?.phone ?? "",
  role: user?.role ?? "floor_user",
  floor: String(user?.floor ?? ""),
});

/** @param {{ user?: User, onClose: () => void }} props without a user it invites one */
export function PersonDialog({ user, onClose }) {
  const floors = useQuery("/api/floors/?page_size=200");
  const path = user ? `/api/users/${user.id}/` : null;
  const form = useForm(
    draftOf(user),
    async (values, sending) => {
      const body = { ...values, floor: values.role === "floor_user" && values.floor ? Number(values.floor) : null };
      if (path) await api.patch(path, body, sending);
      else await api.post("/api/users/", body, sending);
      invalidate("/api/users/");
      toast(user ? t("team.saved") : t("team.invited", { email: values.email }));
      onClose();
    },
    { row: { path, draft: draftOf } },
  );
  const { role } = form.values;
  const { error: roleWrong } = form.of("role");
  const options = /** @type {[string, string][]} */ ([
    ["", t("team.choose_floor")],
    ...(floors.data?.results ?? []).map((/** @type {Floor} */ floor) => [String(floor.id), floor.name]),
  ]);
  return html`
    <${Dialog} title=${user ? t("team.edit_title") : t("team.invite_title")} onClose=${onClose}>
      <${Form}
        form=${form}
        actions=${html`
          <${Button} onClick=${onClose}>${t("common.cancel")}<//>
          <${Button} kind="primary" type="submit" busy=${form.busy}>${user ? t("frame.save") : t("team.send")}<//>
        `}
      >
        <${TextField} label=${t("team.name")} maxlength="150" required ...${form.of("name")} />
        <${TextField}
          label=${t("frame.email")}
          type="email"
          maxlength="150"
          required
          hint=${user ? undefined : t("team.email_hint")}
          ...${form.of("email")}
        />
        <${TextField} label=${t("team.phone")} type="tel" maxlength="20" ...${form.of("phone")} />
        <div class="field">
          <span class="label">${t("team.may")}</span>
          <${Segments}
            label=${t("team.may")}
            value=${role}
            onValue=${(/** @type {any} */ next) => form.set({ role: next })}
            options=${[
              ["floor_user", t("team.role_floor_user")],
              ["client", t("team.role_client")],
            ]}
          />
          <span class="hint">${t(role === "client" ? "team.client_hint" : "team.floor_user_hint")}</span>
          ${
            roleWrong &&
            html`
              <span class="wrong" role="alert">${roleWrong}</span>
            `
          }
        </div>
        ${
          role === "floor_user" &&
          (floors.data?.results.length === 0
            ? html`
                <${Notice} kind="warn">${t("team.no_floor")}<//>
              `
            : html`
                <${Select} label=${t("team.floor")} options=${options} ...${form.of("floor")} />
              `)
        }
      <//>
    <//>
  `;
}
