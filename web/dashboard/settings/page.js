/** The business's own settings: who it is, its floors, its limits, and the systems that are told what happens. */

import "./texts.js";
import { t } from "../../common/i18n.js";
import { may } from "../../common/session.js";
import { PageHeader } from "../../common/ui.js";
import { html } from "../../common/view.js";
import { Business } from "./business.js";
import { Floors } from "./floors.js";
import { Webhooks } from "./webhooks.js";

/** The page. */
export default function Page() {
  return html`
    <${PageHeader} title=${t("frame.settings")} />
    <${Business} />
    <${Floors} />
    ${
      may("webhooks.manage") &&
      html`
        <${Webhooks} />
      `
    }
  `;
}
