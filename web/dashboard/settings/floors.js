/** The floors with what holds on each: quiet hours, and between which volumes it stays. */

import "./texts.js";
import { t } from "../../common/i18n.js";
import { usePages } from "../../common/query.js";
import { locked } from "../../common/session.js";
import { Button, Card, EmptyState, Failed, Pager, Skeleton, Table, sentence } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { FloorDialog } from "../now/edit.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */

/** All floors, each with its dialog. */
export function Floors() {
  const { rows, error, more, reload } = usePages("/api/floors/?ordering=name");
  const [open, setOpen] = useState(/** @type {{ floor?: Floor } | null} */ (null));
  const add =
    !locked.value &&
    html`
      <${Button} size="small" icon="add" onClick=${() => setOpen({})}>${t("settings.floor_add")}<//>
    `;
  const columns = [
    {
      key: "name",
      title: t("settings.floor"),
      cell: (/** @type {Floor} */ row) => html`
        <a href=${`/floors/${row.id}`} class="strong">${row.name}</a>
      `,
    },
    { key: "quiet", title: t("settings.quiet_hours"), cell: (/** @type {Floor} */ row) => quiet(row) },
    {
      key: "volume",
      title: t("settings.volume"),
      cell: (/** @type {Floor} */ row) =>
        t("settings.volume_range", {
          min: row.min_volume ?? 0,
          max: row.max_volume ?? 100,
          usual: row.default_volume ?? 0,
        }),
    },
    { key: "zone", title: t("settings.zone"), cell: (/** @type {Floor} */ row) => row.effective_timezone },
    {
      key: "act",
      title: "",
      end: true,
      cell: (/** @type {Floor} */ row) =>
        !locked.value &&
        html`
          <${Button} size="small" icon="edit" onClick=${() => setOpen({ floor: row })}>${t("settings.change")}<//>
        `,
    },
  ];
  return html`
    <${Card} title=${t("settings.floors")} actions=${add}>
      ${
        error &&
        !rows &&
        html`
          <${Failed} words=${sentence(error)} onRetry=${reload} />
        `
      }
      ${
        !rows &&
        !error &&
        html`
          <${Skeleton} lines=${2} />
        `
      }
      ${
        rows?.length === 0 &&
        html`
          <${EmptyState} icon="floor" title=${t("settings.no_floor")}>${t("settings.no_floor_text")}<//>
        `
      }
      ${
        rows &&
        rows.length > 0 &&
        html`
          <${Table} label=${t("settings.floors")} rows=${rows} columns=${columns} />
          <${Pager} more=${more} />
        `
      }
      ${
        open &&
        html`
          <${FloorDialog} floor=${open.floor} onClose=${() => setOpen(null)} />
        `
      }
    <//>
  `;
}

/** @param {Floor} floor */
function quiet({ quiet_hours_start: from, quiet_hours_end: to }) {
  return from && to
    ? `${from.slice(0, 5)} – ${to.slice(0, 5)}`
    : html`
        <span class="quiet">${t("settings.none")}</span>
      `;
}
