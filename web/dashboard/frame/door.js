/** The page around all ways in: the mark, a card, the language. */

import "./texts.js";
import { LANGUAGES, choose, language, t } from "../../common/i18n.js";
import { html } from "../../common/view.js";
import { Mark } from "./shell.js";

/** @param {{ title: string, lead?: string, children?: import("../../common/view.js").Children, below?: import("../../common/view.js").Children }} props */
export function Door({ title, lead, children, below }) {
  const others = Object.entries(LANGUAGES).filter(([key]) => key !== language.value);
  return html`<div class="door">
    <a class="brand" href="/sign-in"><${Mark} />sync2gear</a>
    <main class="card stack"><div><h1>${title}</h1>${lead && html`<p class="quiet">${lead}</p>`}</div>${children}</main>
    ${below && html`<p class="center">${below}</p>`}
    <footer class="row">${others.map(([key, name]) => html`<button key=${key} type="button" class="button plain small" lang=${key} onClick=${() => choose(/** @type {any} */ (key))}>${name}</button>`)}
      <a class="button plain small" href="/speaker/">${t("frame.be_speaker")}</a></footer>
  </div>`;
}
