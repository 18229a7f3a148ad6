/** The page of a speaker that belongs to nobody yet: a code, and what to do with it. */

import { length, t } from "../../common/i18n.js";
import { html, useEffect, useState } from "../../common/view.js";

/** @typedef {{code: string, until: number}} Shown `until` in ms since 1970 */

/**
 * @param {{shown: Shown | null, problem: string}} props `shown` is null while there is no code yet
 */
export function Pairing({ shown, problem }) {
  const left = useSecondsLeft(shown?.until ?? 0);
  const steps = ["open", "add", "enter"].map(
    (step) => html`<li>${t(`speaker.pair.${step}`, { host: location.host })}</li>`,
  );
  return html`<main class="pairing">
    <p class="brand">sync2gear</p>
    <h1>${t("speaker.pair.title")}</h1>
    <div class="code" role="status" aria-live="polite" aria-label=${shown ? [...shown.code].join(" ") : undefined}>
      ${
        shown
          ? [...shown.code].map((each) => html`<span class=${each === "-" ? "dash" : "letter"}>${each}</span>`)
          : html`<span class="spinner" />`
      }
    </div>
    ${
      problem
        ? html`<p class="bad" role="alert">${problem}</p>`
        : html`<p class="quiet number">
            ${shown ? t("speaker.pair.left", { time: length(left * 1000) }) : t("speaker.pair.asking")}
          </p>`
    }
    <ol class="steps">
      ${steps}
    </ol>
  </main>`;
}

/** @param {number} until */
function useSecondsLeft(until) {
  const left = () => Math.max(0, Math.round((until - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left());
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}
