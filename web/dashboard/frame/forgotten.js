/** Asking for a mail by which another password can be chosen. */

import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { Button, Form, Notice, TextField, useForm } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { Door } from "./door.js";

/** The page. The answer is the same whether somebody has this address or not. */
export default function Forgotten() {
  const [sent, setSent] = useState(false);
  const form = useForm({ email: "" }, async (values) => {
    await api.post("/api/auth/password-reset/", values, { anonymous: true });
    setSent(true);
  }, { guarded: false });
  const title = t("frame.forgotten_title");
  const back = html`<a href="/sign-in">${t("frame.back_to_sign_in")}</a>`;
  if (sent) {
    return html`<${Door} title=${title} below=${back}>
      <${Notice} kind="good" role="status">${t("frame.mail_sent")}<//>
    <//>`;
  }
  const send = html`<${Button} kind="primary" type="submit" wide busy=${form.busy}>${t("frame.send_mail")}<//>`;
  return html`<${Door} title=${title} lead=${t("frame.forgotten_lead")} below=${back}>
    <${Form} form=${form} actions=${send}>
      <${TextField} label=${t("frame.email")} type="email" autocomplete="email" required ...${form.of("email")} />
    <//>
  <//>`;
}
