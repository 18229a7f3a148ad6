/** Words that pass by, with seconds in which something can be taken back. */

import { t } from "../i18n.js";
import { classes, effect, html, render, signal, useEffect, useMemo } from "../view.js";
import { Button } from "./button.js";
import { sentence } from "./form.js";
import { layers } from "./overlay.js";

/**
 * @typedef {object} ToastState
 * @property {number} id
 * @property {string} text
 * @property {"plain" | "bad"} kind
 * @property {number} ms
 * @property {{ text: string, act: () => void }} [action]
 * @property {boolean} [running] it shows how much of its time is left
 * @property {number} since milliseconds since 1970
 */

const toasts = signal(/** @type {ToastState[]} */ ([]));
let count = 0;

/** @param {number} id */
const gone = (id) => {
  toasts.value = toasts.value.filter((each) => each.id !== id);
};

/**
 * A word in passing: that something was saved, or was not. Gives what takes it away.
 * @param {string} text
 * @param {{ kind?: "plain" | "bad", ms?: number, action?: { text: string, act: () => void }, running?: boolean }} [how]
 */
export function toast(text, { kind = "plain", ms = kind === "bad" ? 8000 : 4000, action, running } = {}) {
  const id = (count += 1);
  toasts.value = [...toasts.value.slice(-2), { id, text, kind, ms, action, running, since: Date.now() }];
  setTimeout(() => gone(id), ms);
  return () => gone(id);
}

/** A toast of what went wrong. @param {unknown} error */
export const toastError = (error) => toast(sentence(error), { kind: "bad" });

/**
 * Does something after a few seconds, unless it is called back: "Playing in 5 s. Cancel". What is done is told by
 * `done`.
 * @param {string} text
 * @param {() => Promise<unknown>} act
 * @param {{ ms?: number, done?: string }} [how]
 * @returns {Promise<boolean>} whether it was done
 */
export function confirmWithUndo(text, act, { ms = 5000, done } = {}) {
  return new Promise((resolve) => {
    const timer = setTimeout(async () => {
      try {
        await act();
        if (done) toast(done);
        resolve(true);
      } catch (error) {
        toastError(error);
        resolve(false);
      }
    }, ms);
    const call = () => {
      clearTimeout(timer);
      away();
      resolve(false);
    };
    const away = toast(text, { ms, running: true, action: { text: t("common.undo"), act: call } });
  });
}

/**
 * Where toasts appear; drawn once, by a page's frame. They stand in the topmost dialog, for while that is open nothing
 * beside it can be pressed.
 */
export function Toasts() {
  useEffect(() => {
    const shelf = document.createElement("div");
    render(html`<${Shelf} />`, shelf);
    const stop = effect(() => (layers.value.at(-1) ?? document.body).append(shelf));
    return () => {
      stop();
      render(null, shelf);
      shelf.remove();
    };
  }, []);
  return null;
}

function Shelf() {
  const place = layers.value.length;
  return html`<div class="toasts" role="region" aria-label=${t("common.messages")} aria-live="polite">
    ${toasts.value.map((each) => html`<${Toast} key=${each.id} place=${place} ...${each} />`)}
  </div>`;
}

/** @param {ToastState & { place: number }} props */
function Toast({ id, text, kind, ms, action, running, since, place }) {
  const act = () => {
    gone(id);
    action?.act();
  };
  // Where it has moved, the browser begins it anew.
  const left = useMemo(() => ({ animationDuration: `${ms}ms`, animationDelay: `${since - Date.now()}ms` }), [place]);
  return html`<div class=${classes("toast", kind)} role=${kind === "bad" ? "alert" : "status"}>
    <span class="grow">${text}</span>
    ${action && html`<${Button} kind="plain" size="small" onClick=${act}>${action.text}<//>`}
    ${running && html`<span class="left" style=${left}></span>`}
  </div>`;
}
