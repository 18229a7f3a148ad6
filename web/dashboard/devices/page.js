/** Devices. */

import { t } from "../../common/i18n.js";
import { PageHeader } from "../../common/ui.js";
import { html } from "../../common/view.js";

/** The page. */
export default function Page() {
  return html`<${PageHeader} title=${t("frame.devices")} />`;
}
