/** The page around all ways in: the mark, a card, the language. */

import "./texts.js";
import { LANGUAGES, choose, language, t } from "../../common/i18n.js";
import { Button } from "../../common/ui.js";
import { html } from "../../common/view.js";
import { Mark } from "./mark.js";

/** @typedef {import("../../common/i18n.js").Language} Language */
/** @typedef {import("../../common/view.js").Children} Children */

/** @param {{ title: string, lead?: string, children?: Children, below?: Children }} props below: another way */
export function Door({ title, lead, children, below }) {
  const all = /** @type {[Language, string][]} */ (Object.entries(LANGUAGES));
  const others = all.filter(([key]) => key !== language.value);
  return html`<div class="door">
    <header><a class="brand" href="/sign-in"><${Mark} />sync2gear</a></header>
    <main class="stack">
      <div class="card stack">
        <div>
          <h1>${title}</h1>
          ${lead && html`<p class="quiet">${lead}</p>`}
        </div>
        ${children}
      </div>
      ${below && html`<p class="center">${below}</p>`}
    </main>
    <footer class="row wrap">
      ${others.map(
        ([key, name]) => html`<${Button} key=${key} kind="plain" size="small" lang=${key} onClick=${() => choose(key)}>
          ${name}
        <//>`,
      )}
      <${Button} kind="plain" size="small" href="/speaker/">${t("frame.be_speaker")}<//>
    </footer>
  </div>`;
}
