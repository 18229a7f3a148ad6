/** A list whose order is changed by dragging a handle, or with the arrow keys while it has the focus. */

import { t } from "../../common/i18n.js";
import { Icon } from "../../common/ui.js";
import { classes, html, useEffect, useRef, useState } from "../../common/view.js";
import { moved } from "./draft.js";

/** How near the window's edge a drag scrolls it, and by how much each time. */
const EDGE_PX = 80;
const SCROLL_PX = 14;

/**
 * @template T
 * @param {{ items: T[], keyOf: (item: T) => string, nameOf: (item: T) => string, onOrder: (items: T[]) => void, row:
 *   (item: T, index: number) => any, label: string }} props
 */
export function Sortable({ items, keyOf, nameOf, onOrder, row, label }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const [drag, setDrag] = useState(/** @type {{ from: number, to: number } | null} */ (null));
  const [said, setSaid] = useState("");
  const [focused, setFocused] = useState(/** @type {string | null} */ (null));

  // A row that moves by the keyboard keeps the focus, though its element may have been put elsewhere.
  useEffect(() => {
    if (focused === null) return;
    const at = items.findIndex((item) => keyOf(item) === focused);
    /** @type {HTMLElement | null | undefined} */ (
      list.current?.children[at]?.querySelector(".playlists-handle")
    )?.focus();
    setFocused(null);
  }, [focused, items]);

  const put = (/** @type {number} */ from, /** @type {number} */ to) => {
    const next = moved(items, from, to);
    if (next === items) return;
    onOrder(next);
    setSaid(t("playlists.moved", { name: nameOf(items[from]), n: next.indexOf(items[from]) + 1 }));
  };

  const begin = (/** @type {PointerEvent} */ event, /** @type {number} */ from) => {
    if (event.button) return;
    event.preventDefault();
    let to = from;
    setDrag({ from, to });
    const follow = (/** @type {PointerEvent} */ move) => {
      to = placeAt(/** @type {HTMLElement} */ (list.current), move.clientY);
      setDrag({ from, to });
      if (move.clientY < EDGE_PX) scrollBy(0, -SCROLL_PX);
      else if (move.clientY > innerHeight - EDGE_PX) scrollBy(0, SCROLL_PX);
    };
    const end = (/** @type {Event} */ done) => {
      removeEventListener("pointermove", follow);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      removeEventListener("keydown", escape);
      setDrag(null);
      if (done.type === "pointerup") put(from, to);
    };
    const escape = (/** @type {KeyboardEvent} */ key) => key.key === "Escape" && end(key);
    addEventListener("pointermove", follow);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
    addEventListener("keydown", escape);
  };

  const keys = (/** @type {KeyboardEvent} */ event, /** @type {number} */ from) => {
    const to = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setFocused(keyOf(items[from]));
    put(from, to);
  };

  return html`
    <ol class="playlists-items" ref=${list} aria-label=${label}>
      ${items.map(
        (item, index) => html`
          <li
            key=${keyOf(item)}
            class=${classes({
              dragged: drag?.from === index,
              before: drag && drag.to === index && drag.from > index,
              after: drag && drag.to === index && drag.from < index,
            })}
          >
            <button
              type="button"
              class="button icon playlists-handle"
              aria-label=${t("playlists.drag", { name: nameOf(item) })}
              title=${t("playlists.drag", { name: nameOf(item) })}
              onPointerDown=${(/** @type {PointerEvent} */ event) => begin(event, index)}
              onKeyDown=${(/** @type {KeyboardEvent} */ event) => keys(event, index)}
            >
              <${Icon} name="drag" />
            </button>
            ${row(item, index)}
          </li>
        `,
      )}
    </ol>
    <span class="unseen" role="status">${said}</span>
  `;
}

/** Which row's place a height of the window belongs to. @param {HTMLElement} list @param {number} y */
function placeAt(list, y) {
  const rows = [...list.children];
  const found = rows.findIndex((row) => y < row.getBoundingClientRect().bottom);
  return found < 0 ? rows.length - 1 : found;
}
