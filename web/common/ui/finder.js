/** Something chosen of many: the API searches, page after page, so that any of thousands can be found. */

import { withQuery } from "../api.js";
import { usePages, useSettled } from "../query.js";
import { html, useState } from "../view.js";
import { SearchField } from "./fields.js";
import { sentence } from "./form.js";
import { Failed, Pager, Skeleton } from "./show.js";

/** @typedef {import("../view.js").Children} Children */

/** From so many on, a list has a field to search in. */
const MANY = 8;

/**
 * A list of the API with a field to search it, once it is long.
 * @param {{ path: string, label: string, row: (row: any) => Children, empty: Children, none: Children, first?: Children,
 *   skip?: ReadonlySet<number> }} props `label` names what is searched; `empty` stands where
 *   there is nothing at all, `none` where nothing was found; `first` stands before all while nothing is searched, and
 *   `skip` is what stands there
 */
export function Finder({ path, label, row, empty, none, first, skip }) {
  const [typed, setTyped] = useState("");
  const [long, setLong] = useState(false);
  const wanted = useSettled(typed.trim());
  const { rows, error, more, reload } = usePages(withQuery(path, { search: wanted, page_size: 50 }));
  if (!long && rows && (rows.length >= MANY || more)) setLong(true);
  const shown = rows?.filter((each) => wanted || !skip?.has(each.id)) ?? [];
  return html`
    ${long && html`<${SearchField} label=${label} value=${typed} onValue=${setTyped} />`}
    ${error && !rows && html`<${Failed} words=${sentence(error)} onRetry=${reload} />`}
    ${!rows && !error && html`<${Skeleton} />`}
    ${rows?.length === 0 && (wanted ? html`<p class="quiet" role="status">${none}</p>` : empty)}
    ${rows && !wanted && first}
    ${shown.length > 0 && html`<ul class="list card flush">${shown.map(row)}</ul>`}
    <${Pager} more=${more} />
  `;
}
