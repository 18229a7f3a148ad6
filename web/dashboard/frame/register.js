/** Registering a business, which begins its trial. */

import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { go } from "../../common/router.js";
import { adopt } from "../../common/session.js";
import { Button, Form, PasswordField, TextField, useForm } from "../../common/ui.js";
import { html } from "../../common/view.js";
import { Door } from "./door.js";

/** The page. */
export default function Register() {
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const form = useForm({ business_name: "", name: "", email: "", telephone: "", password: "" }, async (values) => {
    adopt(await api.post("/api/auth/register/", { ...values, timezone }, { anonymous: true }));
    go("/");
  }, { guarded: false });
  const below = html`${t("frame.has_account")} <a href="/sign-in">${t("frame.sign_in")}</a>`;
  const send = html`<${Button} kind="primary" type="submit" wide busy=${form.busy}>${t("frame.start_trial")}<//>`;
  return html`<${Door} title=${t("frame.register")} lead=${t("frame.register_lead")} below=${below}>
    <${Form} form=${form} actions=${send}>
      <${TextField}
        label=${t("frame.business_name")}
        autocomplete="organization"
        required
        ...${form.of("business_name")}
      />
      <${TextField} label=${t("frame.your_name")} autocomplete="name" required ...${form.of("name")} />
      <${TextField} label=${t("frame.email")} type="email" autocomplete="email" required ...${form.of("email")} />
      <${TextField} label=${t("frame.telephone")} type="tel" autocomplete="tel" required ...${form.of("telephone")} />
      <${PasswordField}
        label=${t("frame.password")}
        hint=${t("frame.password_rule")}
        autocomplete="new-password"
        required
        ...${form.of("password")}
      />
      <p class="small quiet">${t("frame.timezone_found", { zone: timezone })}</p>
    <//>
  <//>`;
}
