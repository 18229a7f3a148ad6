/** Forms: what was filled in, its sending, and what the server says to each field. */

import { ApiError, Unreachable, call, freshKey } from "../api.js";
import { t } from "../i18n.js";
import { changed, merged } from "../merge.js";
import { useQuery } from "../query.js";
import { hold } from "../unsaved.js";
import { html, useEffect, useRef, useState } from "../view.js";
import { Conflict, changedBy } from "./conflict.js";
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
 * How a form's values are sent, given on to `api.post` or `api.patch` as it is: the key of its POSTs, which is the same
 * when they are sent again after a lost answer, so that what was done is not done twice; and which version it changes.
 * `changed` are the names of what was changed.
 * @typedef {{ key: string, changed: string[], etag?: string, onAnswer?: (answer: import("../api.js").Answer) => void }} Sending
 */

/**
 * A form's values, what is wrong with them, and its sending. A problem of the API lands at its fields. What is typed and
 * not sent is not lost without a question (`unsaved.js`), unless `guarded` is false: for ways in, and searches.
 *
 *     const form = useForm({ name: "" }, (values, sending) => api.post("/api/floors/", values, sending));
 *     html`<${Form} form=${form}><${TextField} label="Name" ...${form.of("name")} />…`
 *
 * A form that changes a row names it: `row.path`, and `row.draft`, which makes the form's values of it. It then shows
 * what others save until one begins to type; and if somebody has saved meanwhile, it says who and what, and lets one
 * choose. Its `api.patch` needs `sending` for that.
 *
 *     const path = `/api/floors/${floor.id}/`;
 *     const form = useForm(draftOf(floor), (values, sending) => api.patch(path, values, sending), {
 *       row: { path, draft: draftOf },
 *     });
 *
 * @template {Record<string, any>} T
 * @param {T} initial
 * @param {(values: T, sending: Sending) => Promise<unknown>} act
 * @param {{ guarded?: boolean, row?: { path: string | null, draft: (row: any) => T } }} [how] `path` null: a new one
 */
export function useForm(initial, act, { guarded = true, row } = {}) {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [clash, setClash] = useState(/** @type {import("./conflict.js").Clash<T> | null} */ (null));
  const asked = useRef(/** @type {Set<string>} */ (new Set())).current;
  asked.clear();
  /** What does not wait to be drawn: `base` is what the server has, as far as the form knows, of version `etag`. */
  const held = useRef({ base: initial, mine: initial, key: freshKey(), sending: false, etag: "" }).current;
  const kept = useQuery(row?.path ?? null);

  const dirty = () => guarded && !held.sending && changed(held.base, held.mine).length > 0;

  /** @param {T} next */
  const show = (next) => {
    held.mine = next;
    setValues(next);
  };
  /** Goes on from what is there now. @param {T} theirs @param {string} etag */
  const rest = (theirs, etag) => {
    const next = merged(held.base, theirs, held.mine);
    held.base = theirs;
    held.etag = etag;
    if (changed(held.mine, next).length) show(next);
  };
  useEffect(() => {
    // Once one has begun to type, what others save is for when this is saved.
    const begun = changed(held.base, held.mine).length > 0 && held.etag;
    if (row && kept.data && !begun && !held.sending) rest(row.draft(kept.data), kept.etag ?? "");
  }, [kept.data]);

  /** @param {Partial<T>} some */
  const set = (some) => {
    held.key = freshKey(); // something else is asked
    show({ ...held.mine, ...some });
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

  /** What somebody else saved while this form was open; null if it is nothing that this form shows. */
  const clashing = async () => {
    if (!row?.path) return null;
    const { data, etag } = await call("GET", row.path);
    const theirs = row.draft(data);
    if (changed(held.base, theirs).length) return { theirs, etag: etag ?? "", by: await changedBy(row.path) };
    held.etag = etag ?? "";
    return null;
  };

  /** @returns {Promise<boolean>} whether it is done */
  const send = async () => {
    /** @type {Sending} */
    const sending = { key: held.key, changed: changed(held.base, held.mine), etag: held.etag || undefined };
    sending.onAnswer = ({ etag }) => {
      held.etag = etag ?? "";
    };
    try {
      await act(held.mine, sending);
      held.key = freshKey();
      held.base = held.mine;
      return true;
    } catch (problem) {
      if (!(problem instanceof Unreachable)) held.key = freshKey();
      if (!(problem instanceof ApiError) || problem.code !== "precondition_failed" || !row) throw problem;
      const found = await clashing();
      if (!found) return send();
      setClash(found);
      return false;
    }
  };

  const submit = async () => {
    if (held.sending) return false;
    held.sending = true;
    setBusy(true);
    setError(null);
    setClash(null);
    try {
      return await send();
    } catch (problem) {
      setError(problem);
      return false;
    } finally {
      held.sending = false;
      setBusy(false);
    }
  };

  /** Ends a clash: with mine over theirs, which is sent, or with theirs. @param {"mine" | "theirs"} whose */
  const settle = (whose) => {
    if (!clash) return;
    if (whose === "theirs") held.mine = held.base;
    rest(clash.theirs, clash.etag);
    setClash(null);
    if (whose === "mine") void submit();
  };

  /** What no field shows. */
  const wrong = () => {
    if (!error) return "";
    return error instanceof ApiError && error.errors.length ? error.beside([...asked]) : sentence(error);
  };

  const between = clash && { ...clash, base: held.base, mine: values };
  return { values, set, of, submit, busy, error, setError, wrong, dirty, clash: between, settle };
}

/**
 * A form of `useForm`: sends itself on Enter, says above its buttons what is wrong as a whole.
 * @param {{ form: Pick<ReturnType<typeof useForm>, "submit" | "wrong" | "dirty" | "clash" | "settle">, children?:
 *   Children, actions?: Children, class?: string }} props
 */
export function Form({ form, children, actions, class: more = "" }) {
  const element = useRef(/** @type {HTMLFormElement | null} */ (null));
  const latest = useRef(form);
  latest.current = form;
  useEffect(() => hold({ element: () => element.current, dirty: () => latest.current.dirty() }), []);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopPropagation(); // a dialog's form may stand in another's
    void form.submit();
  };
  return html`<form ref=${element} class=${`stack ${more}`} novalidate onSubmit=${submit}>
    ${children}
    <${Wrong} form=${form} />
    ${form.clash && html`<${Conflict} clash=${form.clash} element=${element.current} onSettle=${form.settle} />`}
    ${actions && html`<div class="actions row wrap">${actions}</div>`}
  </form>`;
}

/** @param {{ form: { wrong: () => string } }} props drawn after the fields, which have said by then what they show */
function Wrong({ form }) {
  const words = form.wrong();
  return words ? html`<${Notice} kind="bad" role="alert">${words}<//>` : null;
}
