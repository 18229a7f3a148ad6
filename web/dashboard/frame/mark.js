import { html } from "../../common/view.js";

/** The mark of sync2gear. */
export function Mark() {
  return html`<svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
    <rect width="64" height="64" rx="15" />
    <path d="M20 26v12M32 17v30M44 26v12" />
  </svg>`;
}
