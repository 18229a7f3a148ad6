/** What is filled in. Each field has its label, a hint and what is wrong with it, tied together for screen readers. */

import { ApiError, Unreachable } from "../api.js";
import { t } from "../i18n.js";
import { html, useId, useRef, useState } from "../view.js";
import { IconButton } from "./button.js";
import { Notice } from "./show.js";

/** @typedef {import("../view.js").Children} Children */

/**
 * Label, hint and error around a control: `control` is given what ties it to them.
 * @param {{ label: Children, hint?: Children, error?: string, control: (ties: Record<string, any>) => any }} props
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
 * @param {{ label: Children, value: string | number, onValue: (value: string) => void, hint?: Children, error?: string, type?: string, [more: string]: any }} props
 */
export function TextField({ label, value, onValue, hint, error, type = "text", ...rest }) {
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${(/** @type {any} */ ties) => html`<input
    class="input" type=${type} value=${value} onInput=${(/** @type {any} */ event) => onValue(event.currentTarget.value)} ...${ties} ...${rest} />`} />`;
}

/**
 * Several lines of text.
 * @param {{ label: Children, value: string, onValue: (value: string) => void, hint?: Children, error?: string, [more: string]: any }} props
 */
export function TextArea({ label, value, onValue, hint, error, ...rest }) {
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${(/** @type {any} */ ties) => html`<textarea
    class="input" value=${value} onInput=${(/** @type {any} */ event) => onValue(event.currentTarget.value)} ...${ties} ...${rest}></textarea>`} />`;
}

/**
 * A password, which can be shown.
 * @param {{ label: Children, value: string, onValue: (value: string) => void, hint?: Children, error?: string, [more: string]: any }} props
 */
export function PasswordField({ label, value, onValue, hint, error, ...rest }) {
  const [open, setOpen] = useState(false);
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${(
    /** @type {any} */ ties,
  ) => html`<div class="with-end">
    <input class="input" type=${open ? "text" : "password"} value=${value} autocapitalize="none" spellcheck=${false}
      onInput=${(/** @type {any} */ event) => onValue(event.currentTarget.value)} ...${ties} ...${rest} />
    <${IconButton} icon=${open ? "close" : "key"} label=${t(open ? "common.hide_password" : "common.show_password")} onClick=${() => setOpen(!open)} />
  </div>`} />`;
}

/**
 * One of a few. Values are texts; `onValue` is given the chosen one's.
 * @param {{ label: Children, value: string | number | null, options: [value: string | number, text: string][], onValue: (value: string) => void, hint?: Children, error?: string, [more: string]: any }} props
 */
export function Select({ label, value, options, onValue, hint, error, ...rest }) {
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${(/** @type {any} */ ties) => html`<select
    class="input" value=${value ?? ""} onChange=${(/** @type {any} */ event) => onValue(event.currentTarget.value)} ...${ties} ...${rest}>
    ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${String(key) === String(value ?? "")}>${text}</option>`)}
  </select>`} />`;
}

/**
 * On or off, at once: a switch. `checkbox` is for what a form sends later, or for one of many.
 * @param {{ label: Children, checked: boolean, onValue: (on: boolean) => void, hint?: Children, checkbox?: boolean, disabled?: boolean, [more: string]: any }} props
 */
export function Switch({ label, checked, onValue, hint, checkbox = false, ...rest }) {
  return html`<label class="check"><input type="checkbox" role=${checkbox ? undefined : "switch"} checked=${checked}
      onChange=${(/** @type {any} */ event) => onValue(event.currentTarget.checked)} ...${rest} />
    <span>${label}${hint && html`<span class="hint">${hint}</span>`}</span></label>`;
}

/**
 * A number between two, such as a volume. `onValue` while it moves, `onDone` when it is let go.
 * @param {{ label: Children, value: number, onValue: (value: number) => void, onDone?: (value: number) => void, min?: number, max?: number, step?: number, unit?: string, hint?: Children, error?: string, [more: string]: any }} props
 */
export function Slider({
  label,
  value,
  onValue,
  onDone,
  min = 0,
  max = 100,
  step = 1,
  unit = "",
  hint,
  error,
  ...rest
}) {
  return html`<${Field} label=${label} hint=${hint} error=${error} control=${(
    /** @type {any} */ ties,
  ) => html`<div class="slider">
    <input type="range" min=${min} max=${max} step=${step} value=${value} aria-valuetext=${`${value}${unit}`}
      onInput=${(/** @type {any} */ event) => onValue(Number(event.currentTarget.value))}
      onChange=${(/** @type {any} */ event) => onDone?.(Number(event.currentTarget.value))} ...${ties} ...${rest} />
    <output for=${ties.id}>${value}${unit}</output>
  </div>`} />`;
}

/**
 * One of two to four, all of them seen.
 * @param {{ label: string, value: string, options: [value: string, text: Children][], onValue: (value: string) => void }} props
 */
export function Segments({ label, value, options, onValue }) {
  const name = useId();
  return html`<div class="segments" role="radiogroup" aria-label=${label}>
    ${options.map(
      ([key, text]) => html`<label key=${key}><input type="radio" name=${name} value=${key} checked=${key === value}
      onChange=${() => onValue(key)} /><span>${text}</span></label>`,
    )}
  </div>`;
}

/**
 * Files, dropped here or chosen.
 * @param {{ label: Children, accept?: string, multiple?: boolean, onFiles: (files: File[]) => void, children?: Children }} props
 */
export function DropZone({ label, accept, multiple = false, onFiles, children }) {
  const [over, setOver] = useState(false);
  const take = (/** @type {FileList | null | undefined} */ files) => {
    if (files?.length) onFiles([...files].slice(0, multiple ? files.length : 1));
  };
  return html`<label class=${`drop${over ? " over" : ""}`}
    onDragOver=${(/** @type {DragEvent} */ event) => {
      event.preventDefault();
      setOver(true);
    }}
    onDragLeave=${() => setOver(false)}
    onDrop=${(/** @type {DragEvent} */ event) => {
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer?.files);
    }}>
    ${children}<span class="strong">${label}</span>
    <input class="unseen" type="file" accept=${accept} multiple=${multiple}
      onChange=${(/** @type {any} */ event) => {
        take(event.currentTarget.files);
        event.currentTarget.value = "";
      }} />
  </label>`;
}

/** What went wrong, for a person: the server's own sentence, or that it cannot be reached. @param {unknown} error */
export function sentence(error) {
  if (error instanceof Unreachable) return t("common.unreachable");
  if (error instanceof ApiError)
    return error.code === "rate_limited"
      ? t("common.rate_limited", { n: Math.max(1, error.retryAfterS) })
      : error.sentence;
  return t("common.failed");
}

/**
 * A form's values, what is wrong with them, and its sending. `act` is given the values; a problem of the API lands at its fields.
 *
 *     const form = useForm({ name: "" }, (values) => api.post("/api/floors/", values));
 *     html`<${Form} form=${form}><${TextField} label="Name" ...${form.of("name")} />…`
 *
 * @template {Record<string, any>} T
 * @param {T} initial
 * @param {(values: T) => Promise<unknown>} act
 */
export function useForm(initial, act) {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const asked = useRef(/** @type {Set<string>} */ (new Set())).current;
  asked.clear();

  /** @param {Partial<T>} some */
  const set = (some) => setValues((before) => ({ ...before, ...some }));

  /** What a field needs: `value`, `onValue`, `error`; for a switch `checked`. @param {keyof T & string} name */
  const of = (name) => {
    asked.add(name);
    const value = values[name];
    return {
      ...(typeof value === "boolean" ? { checked: value } : { value: value ?? "" }),
      name,
      error: error instanceof ApiError ? error.of(name) : "",
      onValue: (/** @type {any} */ next) => set(/** @type {any} */ ({ [name]: next })),
    };
  };

  const submit = async () => {
    if (busy) return false;
    setBusy(true);
    setError(null);
    try {
      await act(values);
      return true;
    } catch (problem) {
      setError(problem);
      return false;
    } finally {
      setBusy(false);
    }
  };

  /** What no field shows. */
  const wrong = () =>
    !error ? "" : error instanceof ApiError && error.errors.length ? error.beside([...asked]) : sentence(error);

  return { values, set, of, submit, busy, error, setError, wrong };
}

/**
 * A form of `useForm`: sends itself on Enter, says above its buttons what is wrong as a whole.
 * @param {{ form: { submit: () => Promise<boolean>, wrong: () => string }, children?: Children, actions?: Children, class?: string }} props
 */
export function Form({ form, children, actions, class: more = "" }) {
  return html`<form class=${`stack ${more}`} novalidate onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    void form.submit();
  }}>
    ${children}
    <${Wrong} form=${form} />
    ${actions && html`<div class="actions row wrap">${actions}</div>`}
  </form>`;
}

/** @param {{ form: { wrong: () => string } }} props drawn after the fields, which have said by then what they show */
function Wrong({ form }) {
  const words = form.wrong();
  return words ? html`<${Notice} kind="bad" role="alert">${words}</${Notice}>` : null;
}
