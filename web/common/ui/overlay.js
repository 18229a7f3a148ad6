/** What lies over a page: dialogs and menus. */

import { t } from "../i18n.js";
import { leave } from "../unsaved.js";
import { classes, html, signal, useEffect, useId, useRef, useState } from "../view.js";
import { Button, IconButton } from "./button.js";
import { sentence } from "./form.js";
import { Icon as Glyph } from "./icon.js";

/** @typedef {import("../view.js").Children} Children */
/** @typedef {import("./icon.js").IconName} IconName */

/** The dialogs that are open, the topmost last: only what is in that one can be pressed. */
export const layers = signal(/** @type {HTMLDialogElement[]} */ ([]));

/**
 * A dialog, there while it is drawn: `open && html`<${Dialog} …>``. The browser's own `<dialog>` holds the focus and
 * gives it back. Closed by Escape, its cross or a press beside it, it asks before a form in it loses what was typed.
 * @param {{ title: Children, onClose: () => void, wide?: boolean, children?: Children }} props
 */
export function Dialog({ title, onClose, wide = false, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (!element) return undefined;
    element.showModal();
    layers.value = [...layers.value, element];
    return () => {
      layers.value = layers.value.filter((each) => each !== element);
      element.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const shut = () => leave(dialog.current, onClose);
  const cancel = (/** @type {Event} */ event) => {
    if (event.target !== dialog.current) return; // of a dialog over this one, or of a field that chooses files
    event.preventDefault(); // it is closed by not being drawn any more
    shut();
  };
  const beside = (/** @type {MouseEvent} */ event) => {
    if (event.target === dialog.current) shut();
  };
  const looks = classes("dialog", { wide });
  return html`<dialog ref=${dialog} class=${looks} aria-labelledby=${id} onCancel=${cancel} onMouseDown=${beside}>
    <header>
      <h2 id=${id}>${title}</h2>
      <${IconButton} icon="close" label=${t("common.close")} onClick=${shut} />
    </header>
    <div class="body">${children}</div>
  </dialog>`;
}

/**
 * Asks before something that cannot be undone.
 * @param {{ title: Children, text: Children, act: () => Promise<unknown>, button: string, kind?: "danger" | "primary",
 *   onClose: () => void }} props
 */
export function Ask({ title, text, act, button, kind = "danger", onClose }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const go = async () => {
    setBusy(true);
    try {
      await act();
      onClose();
    } catch (error) {
      setWrong(sentence(error));
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <p>${text}</p>
    ${wrong && html`<p class="bad" role="alert">${wrong}</p>`}
    <div class="actions">
      <${Button} onClick=${onClose}>${t("common.cancel")}<//>
      <${Button} kind=${kind} busy=${busy} onClick=${go}>${button}<//>
    </div>
  <//>`;
}

/**
 * @typedef {object} MenuItem
 * @property {string} text
 * @property {IconName} [icon]
 * @property {() => void} [act]
 * @property {string} [href]
 * @property {boolean} [danger]
 * @property {boolean} [checked] one of a choice
 */

/**
 * A button with a menu. Arrow keys move in it, Escape closes it (WAI-ARIA menu button).
 * @param {{ label: string, items: (MenuItem | { title: string })[], icon?: IconName, button?: (props: Record<string,
 *   any>) => any, place?: string }} props `button` draws another than the three dots
 */
export function Menu({ label, items, icon = "more", button, place = "" }) {
  const [open, setOpen] = useState(false);
  const anchor = useRef(/** @type {HTMLElement | null} */ (null));
  const entries = () =>
    /** @type {HTMLElement[]} */ ([...(anchor.current?.querySelectorAll("[role^=menuitem]") ?? [])]);
  const shut = () => {
    setOpen(false);
    /** @type {HTMLElement | null | undefined} */ (anchor.current?.querySelector("[aria-haspopup]"))?.focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    entries()[0]?.focus();
    const elsewhere = (/** @type {PointerEvent} */ event) => {
      if (!anchor.current?.contains(/** @type {Node} */ (event.target))) setOpen(false);
    };
    document.addEventListener("pointerdown", elsewhere);
    return () => document.removeEventListener("pointerdown", elsewhere);
  }, [open]);
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const all = entries();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape") shut();
    else if (event.key === "Tab") setOpen(false);
    else if (to !== undefined) all.at(to % all.length)?.focus();
    else return;
    if (event.key !== "Tab") event.preventDefault();
  };
  const drawn = (/** @type {typeof items[number]} */ item) =>
    "title" in item
      ? html`<div class="title" role="presentation">${item.title}</div>`
      : html`<${Entry} item=${item} shut=${shut} />`;
  const ties = { "aria-haspopup": "menu", "aria-expanded": open ? "true" : "false", onClick: () => setOpen(!open) };
  return html`<span class="menu-anchor" ref=${anchor} onKeyDown=${open ? keys : undefined}>
    ${button ? button(ties) : html`<${IconButton} icon=${icon} label=${label} ...${ties} />`}
    ${open && html`<div class=${`menu ${place}`} role="menu" aria-label=${label}>${items.map(drawn)}</div>`}
  </span>`;
}

/** @param {{ item: MenuItem, shut: () => void }} props */
function Entry({ item, shut }) {
  const role = item.checked === undefined ? "menuitem" : "menuitemradio";
  const props = {
    role,
    tabindex: -1,
    class: item.danger ? "danger" : "",
    "aria-checked": item.checked === undefined ? undefined : String(item.checked),
  };
  const press = () => {
    shut();
    item.act?.();
  };
  const inside = html`${item.icon && html`<${Glyph} name=${item.icon} />`}
    <span class="grow">${item.text}</span>
    ${item.checked && html`<${Glyph} name="check" />`}`;
  return item.href
    ? html`<a href=${item.href} ...${props} onClick=${press}>${inside}</a>`
    : html`<button type="button" ...${props} onClick=${press}>${inside}</button>`;
}
