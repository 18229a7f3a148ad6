/** What is filled in. Each field has its label, a hint and what is wrong with it, tied together for screen readers. */

import { t } from "../i18n.js";
import { html, useId, useState } from "../view.js";
import { zones } from "../zones.js";
import { IconButton } from "./button.js";

/** @typedef {import("../view.js").Children} Children */
/** @typedef {Record<string, any>} Ties the attributes that tie a control to its label, hint and error */

/**
 * What each field has. Whatever else is given goes to the control.
 * @template Value
 * @typedef {{ label: Children, hint?: Children, error?: string, onValue: (value: Value) => void, [more: string]: any }}
 *   Asked
 */

/** What was typed, given on. @param {(value: string) => void} onValue */
const typed = (onValue) => (/** @type {any} */ event) => onValue(event.currentTarget.value);

/**
 * Label, hint and error around a control: `control` is given what ties it to them.
 * @param {{ label: Children, hint?: Children, error?: string, control: (ties: Ties) => any }} props
 */
export function Field({ label, hint, error, control }) {
  const id = useId();
  const told = [hint && `${id}-hint`, error && `${id}-wrong`].filter(Boolean).join(" ") || undefined;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${control({ id, "aria-describedby": told, "aria-invalid": error ? "true" : undefined })}
    ${hint && html`<span class="hint" id=${`${id}-hint`}>${hint}</span>`}
    ${error && html`<span class="wrong" id=${`${id}-wrong`} role="alert">${error}</span>`}
  </div>`;
}

/**
 * One line of text, also a number, a date or a time by `type`. `onValue` is given the text as it is typed.
 * @param {Asked<string> & { value: string | number, type?: string }} props
 */
export function TextField({ label, value, onValue, hint, error, type = "text", ...rest }) {
  const control = (/** @type {Ties} */ ties) =>
    html`<input class="input" type=${type} value=${value} onInput=${typed(onValue)} ...${ties} ...${rest} />`;
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${control} />`;
}

/**
 * Several lines of text.
 * @param {Asked<string> & { value: string }} props
 */
export function TextArea({ label, value, onValue, hint, error, ...rest }) {
  const control = (/** @type {Ties} */ ties) =>
    html`<textarea class="input" value=${value} onInput=${typed(onValue)} ...${ties} ...${rest}></textarea>`;
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${control} />`;
}

/**
 * What is searched. Enter sends no form in which it may stand.
 * @param {Asked<string> & { value: string }} props
 */
export function SearchField(props) {
  const keys = (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && event.preventDefault();
  return html`<${TextField} ...${props} type="search" onKeyDown=${keys} />`;
}

/**
 * A time zone, found by typing a part of its name.
 * @param {Asked<string> & { value: string }} props
 */
export function ZoneField({ label, value, onValue, hint, error, ...rest }) {
  const list = useId();
  const control = (/** @type {Ties} */ ties) =>
    html`<input
        class="input"
        list=${list}
        value=${value}
        autocomplete="off"
        spellcheck=${false}
        onInput=${typed(onValue)}
        ...${ties}
        ...${rest}
      /><datalist id=${list}>
        ${zones().map((zone) => html`<option key=${zone} value=${zone} />`)}
      </datalist>`;
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${control} />`;
}

/**
 * A password, which can be shown.
 * @param {Asked<string> & { value: string }} props
 */
export function PasswordField({ label, value, onValue, hint, error, ...rest }) {
  const [open, setOpen] = useState(false);
  const eye = t(open ? "common.hide_password" : "common.show_password");
  const control = (/** @type {Ties} */ ties) =>
    html`<div class="with-end">
      <input
        class="input"
        type=${open ? "text" : "password"}
        value=${value}
        autocapitalize="none"
        spellcheck=${false}
        onInput=${typed(onValue)}
        ...${ties}
        ...${rest}
      />
      <${IconButton} icon=${open ? "hidden" : "shown"} label=${eye} onClick=${() => setOpen(!open)} />
    </div>`;
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${control} />`;
}

/**
 * One of a few. Values are texts; `onValue` is given the chosen one's.
 * @param {Asked<string> & { value: string | number | null, options: [value: string | number, text: string][] }} props
 */
export function Select({ label, value, options, onValue, hint, error, ...rest }) {
  const chosen = String(value ?? "");
  const control = (/** @type {Ties} */ ties) =>
    html`<select class="input" value=${chosen} onChange=${typed(onValue)} ...${ties} ...${rest}>
      ${options.map(
        ([key, text]) => html`<option key=${key} value=${key} selected=${String(key) === chosen}>${text}</option>`,
      )}
    </select>`;
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${control} />`;
}

/**
 * On or off, at once: a switch. `checkbox` is for what a form sends later, or for one of many.
 * @param {Asked<boolean> & { checked: boolean, checkbox?: boolean }} props
 */
export function Switch({ label, checked, onValue, hint, error, checkbox = false, ...rest }) {
  const flip = (/** @type {any} */ event) => onValue(event.currentTarget.checked);
  return html`<label class="check">
    <input type="checkbox" role=${checkbox ? undefined : "switch"} checked=${checked} onChange=${flip} ...${rest} />
    <span>
      ${label} ${hint && html`<span class="hint">${hint}</span>`}
      ${error && html`<span class="wrong" role="alert">${error}</span>`}
    </span>
  </label>`;
}

/**
 * A number between two, such as a volume. `onValue` while it moves, `onDone` when it is let go.
 * @param {Asked<number> & { value: number, onDone?: (value: number) => void, min?: number, max?: number, step?: number,
 *   unit?: string }} props
 */
export function Slider({ label, value, onValue, onDone, min = 0, max = 100, step = 1, unit = "", ...more }) {
  const { hint, error, ...rest } = more;
  const control = (/** @type {Ties} */ ties) =>
    html`<div class="slider">
      <input
        type="range"
        min=${min}
        max=${max}
        step=${step}
        value=${value}
        aria-valuetext=${`${value}${unit}`}
        onInput=${(/** @type {any} */ event) => onValue(Number(event.currentTarget.value))}
        onChange=${(/** @type {any} */ event) => onDone?.(Number(event.currentTarget.value))}
        ...${ties}
        ...${rest}
      />
      <output for=${ties.id}>${value}${unit}</output>
    </div>`;
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${control} />`;
}

/**
 * One of two to four, all of them seen.
 * @param {{ label: string, value: string, options: [value: string, text: Children][], onValue: (value: string) => void
 *   }} props
 */
export function Segments({ label, value, options, onValue }) {
  const name = useId();
  const option = (/** @type {string} */ key, /** @type {Children} */ text) =>
    html`<label key=${key}>
      <input type="radio" name=${name} value=${key} checked=${key === value} onChange=${() => onValue(key)} />
      <span>${text}</span>
    </label>`;
  return html`<div class="segments" role="radiogroup" aria-label=${label}>
    ${options.map(([key, text]) => option(key, text))}
  </div>`;
}

/**
 * Files, dropped here or chosen.
 * @param {{ label: Children, accept?: string, multiple?: boolean, onFiles: (files: File[]) => void, children?: Children
 *   }} props
 */
export function DropZone({ label, accept, multiple = false, onFiles, children }) {
  const [over, setOver] = useState(false);
  const take = (/** @type {FileList | null | undefined} */ files) => {
    if (files?.length) onFiles([...files].slice(0, multiple ? files.length : 1));
  };
  const drag = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(event.type === "dragover");
    if (event.type === "drop") take(event.dataTransfer?.files);
  };
  const choose = (/** @type {any} */ event) => {
    take(event.currentTarget.files);
    event.currentTarget.value = ""; // the same file may be chosen again
  };
  const looks = over ? "drop over" : "drop";
  return html`<label class=${looks} onDragOver=${drag} onDragLeave=${drag} onDrop=${drag}>
    <span class="strong">${label}</span>${children}
    <input class="unseen" type="file" accept=${accept} multiple=${multiple} onChange=${choose} />
  </label>`;
}
