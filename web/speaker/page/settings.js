/** What a person in front of the speaker may want: language, look, a test sound, and to disconnect it. */

import { LANGUAGES, choose, language, t } from "../../common/i18n.js";
import { theme } from "../../common/theme.js";
import { Button, IconButton } from "../../common/ui/button.js";
import { html, useEffect, useRef, useState } from "../../common/view.js";
import { REST_AFTER, chooseRest, restAfter } from "./resting.js";

const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/** After how long the screen darkens, in words; 0: never. @param {number} minutes */
const resting = (minutes) =>
  minutes ? t("speaker.settings.rest.after", { n: minutes }) : t("speaker.settings.rest.never");

/**
 * @param {{facts: [name: string, value: string][], onTest: () => void, onForget: () => void, onClose: () => void}} props
 */
export function Settings({ facts, onTest, onForget, onClose }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [asking, setAsking] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const languages = Object.entries(LANGUAGES);
  const themes = THEMES.map((each) => [each, t(`speaker.settings.theme.${each}`)]);
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="settings-title" onClose=${onClose}>
    <header>
      <h2 id="settings-title">${t("speaker.settings.title")}</h2>
      <${IconButton} icon="close" label=${t("common.close")} onClick=${() => dialog.current?.close()} />
    </header>
    <div class="body stack">
      <${Choice} label=${t("speaker.settings.language")} value=${language.value} options=${languages} onValue=${choose} />
      <${Choice}
        label=${t("speaker.settings.theme")}
        value=${theme.value}
        options=${themes}
        onValue=${(/** @type {import("../../common/theme.js").Theme} */ value) => (theme.value = value)}
      />
      <${Choice}
        label=${t("speaker.settings.rest")}
        value=${String(restAfter.value)}
        options=${REST_AFTER.map((minutes) => [String(minutes), resting(minutes)])}
        onValue=${(/** @type {string} */ value) => chooseRest(Number(value))}
      />
      <${Button} icon="volume" onClick=${onTest}>${t("speaker.settings.test")}</${Button}>
      <dl class="facts">${facts.map(
        ([name, value]) =>
          html`<dt class="quiet">${name}</dt>
            <dd class="number">${value}</dd>`,
      )}</dl>
      ${
        asking
          ? html`<p role="alert">${t("speaker.settings.forget.ask")}</p>
            <${Button} kind="danger" onClick=${onForget}>${t("speaker.settings.forget")}</${Button}>`
          : html`<${Button} kind="plain" icon="leave" onClick=${() => setAsking(true)}>${t("speaker.settings.forget")}</${Button}>`
      }
    </div>
  </dialog>`;
}

/** @param {{label: string, value: string, options: string[][], onValue: (value: any) => void}} props */
const Choice = ({ label, value, options, onValue }) =>
  html`<label class="field">
    <span class="label">${label}</span>
    <select class="input" value=${value} onChange=${(/** @type {any} */ event) => onValue(event.currentTarget.value)}>
      ${options.map(([key, text]) => html`<option value=${key} selected=${key === value}>${text}</option>`)}
    </select>
  </label>`;
