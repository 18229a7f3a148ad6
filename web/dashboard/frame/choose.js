/**
 * Where the links in mails lead: choosing a password, for an invitation or instead of a forgotten one. The token stands
 * behind `#`, so it reaches the server only in the call that this page makes.
 */

import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { go, place } from "../../common/router.js";
import { adopt } from "../../common/session.js";
import { Button, Form, Notice, PasswordField, TextField, toast, useForm } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { Door } from "./door.js";

/** The link's token, once: it leaves the address bar and the history at once. */
function taken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  history.replaceState(null, "", location.pathname);
  return token;
}

/** @param {string} token @param {{ password: string, name: string }} values */
async function accept(token, { password, name }) {
  const body = { token, password, ...(name && { name }) };
  adopt(await api.post("/api/auth/invitations/accept/", body, { anonymous: true }));
  go("/");
}

/** @param {string} token @param {{ password: string }} values */
async function reset(token, { password }) {
  await api.post("/api/auth/password-reset/confirm/", { token, password }, { anonymous: true });
  toast(t("frame.password_changed"));
  go("/sign-in");
}

/** The page of both links. */
export default function Choose() {
  const [token] = useState(taken);
  const invited = place.value.path === "/invitation";
  const form = useForm({ password: "", name: "" }, (values) => (invited ? accept : reset)(token, values), {
    guarded: false,
  });
  const title = t(invited ? "frame.invitation" : "frame.new_password");
  const below = html`<a href="/sign-in">${t("frame.back_to_sign_in")}</a>`;
  if (!token) {
    return html`<${Door} title=${title} below=${below}><${Notice} kind="bad">${t("frame.link_incomplete")}<//><//>`;
  }
  const send = html`<${Button} kind="primary" type="submit" wide busy=${form.busy}>
    ${t(invited ? "frame.start" : "frame.save")}
  <//>`;
  const lead = t(invited ? "frame.invitation_lead" : "frame.new_password_lead");
  return html`<${Door} title=${title} lead=${lead} below=${below}>
    <${Form} form=${form} actions=${send}>
      ${
        invited &&
        html`<${TextField}
          label=${t("frame.your_name")}
          hint=${t("frame.name_optional")}
          autocomplete="name"
          ...${form.of("name")}
        />`
      }
      <${PasswordField}
        label=${t("frame.password")}
        hint=${t("frame.password_rule")}
        autocomplete="new-password"
        required
        ...${form.of("password")}
      />
    <//>
  <//>`;
}
