/** Forms: what was filled in, its sending, and what the server says to each field. */

import { ApiError, Unreachable, freshKey } from "../api.js";
import { t } from "../i18n.js";
import { html, useRef, useState } from "../view.js";
import { Notice } from "./show.js";

/** @typedef {import("../view.js").Children} Children */

/** What went wrong, for a person: the server's own sentence, or that it cannot be reached. @param {unknown} error */
export function sentence(error) {
  if (error instanceof Unreachable) return t("common.unreachable");
  if (!(error instanceof ApiError)) return t("common.failed");
  if (error.code === "rate_limited") return t("common.rate_limited", { n: Math.max(1, error.retryAfterS) });
  return error.sentence;
}

/**
 * A form's values, what is wrong with them, and its sending. `act` is given the values, and the key of its POST: sent
 * again after a lost answer it is the same, so that what was done is not done twice. A problem of the API lands at its
 * fields.
 *
 *     const form = useForm({ name: "" }, (values, key) => api.post("/api/floors/", values, { key }));
 *     html`<${Form} form=${form}><${TextField} label="Name" ...${form.of("name")} />…`
 *
 * @template {Record<string, any>} T
 * @param {T} initial
 * @param {(values: T, key: string) => Promise<unknown>} act
 */
export function useForm(initial, act) {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const asked = useRef(/** @type {Set<string>} */ (new Set())).current;
  asked.clear();
  const key = useRef(freshKey());

  /** @param {Partial<T>} some */
  const set = (some) => {
    key.current = freshKey(); // something else is asked
    setValues((before) => ({ ...before, ...some }));
  };

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
      await act(values, key.current);
      key.current = freshKey();
      return true;
    } catch (problem) {
      if (!(problem instanceof Unreachable)) key.current = freshKey();
      setError(problem);
      return false;
    } finally {
      setBusy(false);
    }
  };

  /** What no field shows. */
  const wrong = () => {
    if (!error) return "";
    return error instanceof ApiError && error.errors.length ? error.beside([...asked]) : sentence(error);
  };

  return { values, set, of, submit, busy, error, setError, wrong };
}

/**
 * A form of `useForm`: sends itself on Enter, says above its buttons what is wrong as a whole.
 * @param {{ form: { submit: () => Promise<boolean>, wrong: () => string }, children?: Children, actions?: Children,
 *   class?: string }} props
 */
export function Form({ form, children, actions, class: more = "" }) {
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void form.submit();
  };
  return html`<form class=${`stack ${more}`} novalidate onSubmit=${submit}>
    ${children}
    <${Wrong} form=${form} />
    ${actions && html`<div class="actions row wrap">${actions}</div>`}
  </form>`;
}

/** @param {{ form: { wrong: () => string } }} props drawn after the fields, which have said by then what they show */
function Wrong({ form }) {
  const words = form.wrong();
  return words ? html`<${Notice} kind="bad" role="alert">${words}<//>` : null;
}
