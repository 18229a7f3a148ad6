/** What is pressed. */

import { classes, html } from "../view.js";
import { Icon } from "./icon.js";

/** @typedef {import("./icon.js").IconName} IconName */
/** @typedef {import("../view.js").Children} Children */

/**
 * A button, or with `href` a link that looks like one. While `busy` it cannot be pressed again.
 * @param {{ kind?: "primary" | "quiet" | "plain" | "danger", size?: "small" | "large", icon?: IconName, busy?: boolean,
 *   disabled?: boolean, href?: string, type?: "button" | "submit", wide?: boolean, class?: string, children?: Children,
 *   [more: string]: any, }} props
 */
export function Button({
  kind = "quiet",
  size,
  icon,
  busy = false,
  disabled = false,
  href,
  type = "button",
  wide = false,
  class: more,
  children,
  ...rest
}) {
  const looks = classes("button", kind, size, wide && "wide", more);
  const sign = busy ? html`<span class="spinner" aria-hidden="true"></span>` : icon && html`<${Icon} name=${icon} />`;
  const inside = html`${sign}${children}`;
  if (href) return html`<a class=${looks} href=${href} ...${rest}>${inside}</a>`;
  const state = { disabled: disabled || busy, "aria-busy": busy || undefined };
  return html`<button type=${type} class=${looks} ...${state} ...${rest}>${inside}</button>`;
}

/**
 * A button that is an icon alone; `label` is what it does, read out and shown on hover.
 * @param {{ icon: IconName, label: string, size?: "small", kind?: "primary", href?: string, class?: string, [more:
 *   string]: any }} props
 */
export function IconButton({ icon, label, size, kind, href, class: more, ...rest }) {
  const looks = classes("button icon", size, kind, more);
  const inside = html`<${Icon} name=${icon} />`;
  if (href) return html`<a class=${looks} href=${href} aria-label=${label} title=${label} ...${rest}>${inside}</a>`;
  return html`<button type="button" class=${looks} aria-label=${label} title=${label} ...${rest}>${inside}</button>`;
}
