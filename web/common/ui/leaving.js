/** The question before something unsaved is lost. */

import { t } from "../i18n.js";
import { asked } from "../unsaved.js";
import { html } from "../view.js";
import { Button } from "./button.js";
import { Dialog } from "./overlay.js";

/** Drawn once, by a page's frame; there while something waits for an answer. */
export function Leaving() {
  const waiting = asked.value;
  if (!waiting) return null;
  const stay = () => {
    asked.value = null;
  };
  const go = () => {
    asked.value = null;
    waiting.then();
  };
  return html`<${Dialog} title=${t("common.unsaved_title")} onClose=${stay}>
    <p>${t("common.unsaved_text")}</p>
    <div class="actions">
      <${Button} kind="danger" onClick=${go}>${t("common.unsaved_leave")}<//>
      <${Button} kind="primary" autofocus onClick=${stay}>${t("common.unsaved_stay")}<//>
    </div>
  <//>`;
}
