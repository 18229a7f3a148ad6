/** Pages of one message: what stands in the way of playing, and what a person can do about it. */

import { t } from "../../common/i18n.js";
import { Button } from "../../common/ui/button.js";
import { Icon } from "../../common/ui/icon.js";
import { html } from "../../common/view.js";

/** @typedef {import("../../common/ui/icon.js").IconName} IconName */

/**
 * One message in the middle of the screen.
 * @param {{icon: IconName, title: string, text: string, children?: import("../../common/view.js").Children}} props
 */
export function Message({ icon, title, text, children }) {
  return html`<main class="message">
    <span class="seal"><${Icon} name=${icon} /></span>
    <h1>${title}</h1>
    <p class="lead">${text}</p>
    ${children}
  </main>`;
}

/**
 * The browser waits for a touch: the whole screen takes it, and a keyboard and a screen reader have its button.
 * @param {{onTouch: () => void}} props
 */
export function FirstTouch({ onTouch }) {
  return html`<main class="touch" onClick=${onTouch}>
    <button type="button" class="seal big" aria-label=${t("speaker.touch.title")} autofocus><${Icon} name="play" /></button>
    <h1>${t("speaker.touch.title")}</h1>
    <p class="lead">${t("speaker.touch.text")}</p>
    <p class="quiet small">${t("speaker.touch.hint")}</p>
  </main>`;
}

/**
 * The browser cannot be a speaker here, and why.
 * @param {{why: "insecure" | "old"}} props
 */
export const Unfit = ({ why }) =>
  html`<${Message} icon="warning" title=${t("speaker.unfit.title")} text=${t(`speaker.unfit.${why}`)} />`;

/**
 * Another tab of this browser plays.
 * @param {{onTake: () => void}} props
 */
export const Elsewhere = ({ onTake }) =>
  html`<${Message} icon="screen" title=${t("speaker.elsewhere.title")} text=${t("speaker.elsewhere.text")}>
    <${Button} kind="primary" size="large" onClick=${onTake}>${t("speaker.elsewhere.take")}</${Button}>
  </${Message}>`;

/**
 * The server does not know this speaker any more.
 * @param {{onPair: () => void}} props
 */
export const Refused = ({ onPair }) =>
  html`<${Message} icon="key" title=${t("speaker.refused.title")} text=${t("speaker.refused.text")}>
    <${Button} kind="primary" size="large" onClick=${onPair}>${t("speaker.refused.pair")}</${Button}>
  </${Message}>`;

/**
 * An error that the page cannot mend; it loads itself anew.
 * @param {{detail: string, seconds: number}} props
 */
export const Broken = ({ detail, seconds }) =>
  html`<${Message} icon="refresh" title=${t("speaker.broken.title")} text=${t("speaker.broken.text", { n: seconds })}>
    <p class="quiet small">${detail}</p>
  </${Message}>`;
