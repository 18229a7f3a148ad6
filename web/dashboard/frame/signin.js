/** Signing in. */

import { t } from "../../common/i18n.js";
import { signIn } from "../../common/session.js";
import { Button, Form, PasswordField, Switch, TextField, useForm } from "../../common/ui.js";
import { html } from "../../common/view.js";
import { Door } from "./door.js";

/** The page. Once one is in, the frame shows where one was going. */
export default function SignIn() {
  const form = useForm({ email: "", password: "", stay: true }, signIn, { guarded: false });
  const below = html`${t("frame.no_account")} <a href="/register">${t("frame.register")}</a>`;
  const send = html`<${Button} kind="primary" type="submit" wide busy=${form.busy}>${t("frame.sign_in")}<//>`;
  return html`<${Door} title=${t("frame.sign_in")} below=${below}>
    <${Form} form=${form} actions=${send}>
      <${TextField}
        label=${t("frame.email")}
        autocomplete="username"
        inputmode="email"
        autocapitalize="none"
        required
        ...${form.of("email")}
      />
      <${PasswordField}
        label=${t("frame.password")}
        autocomplete="current-password"
        required
        ...${form.of("password")}
      />
      <div class="row apart wrap">
        <${Switch} checkbox label=${t("frame.stay")} ...${form.of("stay")} />
        <a class="small" href="/forgotten-password">${t("frame.forgotten")}</a>
      </div>
    <//>
  <//>`;
}
