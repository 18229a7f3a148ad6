/** Playlists: all of them, or one that is made or changed. */

import { addTexts } from "../../common/i18n.js";
import { html } from "../../common/view.js";
import de from "./de.js";
import { Edit } from "./edit.js";
import en from "./en.js";
import { List } from "./list.js";

addTexts({ en, de });

/** The page; `id` is a playlist's, or `new`. @param {{ id?: string }} props */
export default function Playlists({ id }) {
  return id === undefined
    ? html`
        <${List} />
      `
    : html`
        <${Edit} key=${id} id=${id === "new" ? null : id} />
      `;
}
