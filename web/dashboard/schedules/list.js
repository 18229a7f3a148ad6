/** All schedules: what each does, when it is heard next, and a switch. */

import { api } from "../../common/api.js";
import { day, length, relative, t, time } from "../../common/i18n.js";
import { now } from "../../common/live.js";
import { invalidate, usePages, useQuery } from "../../common/query.js";
import { go } from "../../common/router.js";
import { locked, may } from "../../common/session.js";
import {
  Ask,
  Button,
  EmptyState,
  Failed,
  Menu,
  PageHeader,
  Pager,
  Skeleton,
  Switch,
  TextField,
  sentence,
  toast,
  toastError,
} from "../../common/ui.js";
import { html, useEffect, useState } from "../../common/view.js";
import { daysInWords, placesInWords, quietInWords } from "../rules/fields.js";

/** @typedef {import("./draft.js").Schedule} Schedule */
/** @typedef {import("../../.types/api.js").components["schemas"]["Next"]} Next */

const PAGE = "page_size=200";
/** At most so often the next times are asked for again because one has passed. */
const AGAIN_MS = 5000;

/** The list. */
export function List() {
  const [wanted, setWanted] = useState("");
  const [asked, setAsked] = useState(/** @type {Schedule | null} */ (null));
  const schedules = usePages(`/api/schedules/?${PAGE}`);
  const next = useQuery(`/api/schedules/next/?${PAGE}`, { topics: ["schedules", "announcements", "floors", "stops"] });
  const floors = useQuery("/api/floors/?page_size=200");
  const devices = useQuery("/api/devices/?page_size=200");
  useWhenPassed(next);

  const rows = /** @type {Schedule[] | undefined} */ (schedules.rows);
  const when = new Map(/** @type {Next[]} */ (next.data?.results ?? []).map((each) => [each.schedule, each]));
  const words = wanted.trim().toLowerCase();
  const shown = rows?.filter(
    (row) =>
      !words ||
      [row.name, ...(row.schedule_announcements ?? []).map((entry) => entry.title)].some((text) =>
        text.toLowerCase().includes(words),
      ),
  );
  const manages = may("schedules.manage");
  const fresh =
    manages &&
    html`
      <${Button} kind="primary" icon="add" href="/schedules/new" disabled=${Boolean(locked.value)}>
        ${t("schedules.new")}
      <//>
    `;

  return html`
    <${PageHeader} title=${t("frame.schedules")} lead=${t("schedules.lead")}>${Boolean(rows?.length) && fresh}<//>
    ${
      schedules.error &&
      html`
        <${Failed} words=${sentence(schedules.error)} onRetry=${schedules.reload} />
      `
    }
    ${
      !rows &&
      schedules.loading &&
      html`
        <${Skeleton} lines=${4} />
      `
    }
    ${
      rows?.length === 0 &&
      html`
        <div class="card">
          <${EmptyState} icon="schedule" title=${t("schedules.empty")} action=${fresh}>${t("schedules.empty_text")}<//>
        </div>
      `
    }
    ${
      rows &&
      rows.length > 8 &&
      html`
        <${TextField} type="search" label=${t("schedules.search")} value=${wanted} onValue=${setWanted} />
      `
    }
    ${
      shown &&
      rows &&
      rows.length > 0 &&
      (shown.length
        ? html`
            <ul class="card flush list schedules-list">
              ${shown.map(
                (row) => html`
                  <${Row}
                    key=${row.id}
                    row=${row}
                    next=${when.get(row.id)}
                    floors=${floors.data?.results ?? []}
                    devices=${devices.data?.results ?? []}
                    onDelete=${() => setAsked(row)}
                  />
                `,
              )}
            </ul>
          `
        : html`
            <p class="quiet">${t("schedules.no_match")}</p>
          `)
    }
    <${Pager} more=${schedules.more} />
    ${
      asked &&
      html`
        <${Ask}
          title=${t("schedules.delete_title", { name: asked.name })}
          text=${t("schedules.delete_text")}
          button=${t("schedules.delete")}
          onClose=${() => setAsked(null)}
          act=${async () => {
            await api.delete(`/api/schedules/${asked.id}/`);
            invalidate("/api/schedules/");
            toast(t("schedules.deleted"));
          }}
        />
      `
    }
  `;
}

/**
 * Asks again once a time that is shown has passed.
 * @param {{ data: any, loading: boolean, reload: () => void }} next
 */
function useWhenPassed(next) {
  const [last, setLast] = useState(0);
  const at = now.value;
  const passed =
    !next.loading &&
    /** @type {Next[]} */ (next.data?.results ?? []).some((each) => each.at && Date.parse(each.at) < at);
  useEffect(() => {
    if (!passed || at - last < AGAIN_MS) return;
    setLast(at);
    next.reload();
  }, [passed, at]);
}

/** @param {{ row: Schedule, next?: Next, floors: any[], devices: any[], onDelete: () => void }} props */
function Row({ row, next, floors, devices, onDelete }) {
  const [busy, setBusy] = useState(false);
  const manages = may("schedules.manage") && !locked.value;
  const speakers = devices.filter((device) => row.devices?.includes(device.id)).map((device) => device.name);
  const titles = (row.schedule_announcements ?? []).map((entry) => entry.title);
  const toggle = async () => {
    setBusy(true);
    try {
      const after = await api.post(`/api/schedules/${row.id}/toggle/`, {});
      invalidate("/api/schedules/");
      toast(t(after.enabled ? "schedules.turned_on" : "schedules.turned_off", { name: row.name }));
    } catch (error) {
      toastError(error);
      invalidate("/api/schedules/");
    } finally {
      setBusy(false);
    }
  };
  const rules = [
    cadence(row),
    daysInWords(row.active_days ?? []),
    quietInWords(/** @type {any} */ (row)),
    placesInWords(floors, row.floors ?? [], speakers),
  ];
  return html`
    <li class=${row.enabled ? "" : "schedules-off"}>
      <${Switch}
        label=${html`
          <span class="unseen">${t("schedules.toggle", { name: row.name })}</span>
        `}
        checked=${row.enabled ?? true}
        disabled=${!manages || busy}
        onValue=${toggle}
      />
      <div class="grow">
        ${
          may("schedules.manage")
            ? html`
                <a class="strong schedules-name" href=${`/schedules/${row.id}`}>${row.name}</a>
              `
            : html`
                <span class="strong">${row.name}</span>
              `
        }
        <div class="small quiet">${rules.filter(Boolean).join(" · ")}</div>
        ${
          titles.length > 0 &&
          html`
            <div class="small cut">${titles.join(" · ")}</div>
          `
        }
      </div>
      <div class="schedules-next">
        <span class="small quiet">${t("schedules.next")}</span>
        <${NextTime} row=${row} next=${next} />
      </div>
      ${
        may("schedules.manage") &&
        html`
          <${Menu}
            label=${row.name}
            items=${[
              { text: t("schedules.edit"), icon: "edit", href: `/schedules/${row.id}` },
              { text: t("schedules.duplicate"), icon: "copy", act: () => go(`/schedules/new?like=${row.id}`) },
              { text: t("schedules.delete"), icon: "remove", danger: true, act: onDelete },
            ]}
          />
        `
      }
    </li>
  `;
}

/** @param {{ row: Schedule, next?: Next }} props */
function NextTime({ row, next }) {
  if (!row.enabled)
    return html`
      <span>${t("schedules.next_off")}</span>
    `;
  if (!next)
    return html`
      <span class="skeleton schedules-wait"></span>
    `;
  if (!next.at)
    return html`
      <span class="warn">${t("schedules.next_none")}</span>
    `;
  const zone = next.timezone ?? undefined;
  const near = Date.parse(next.at) - now.value < 12 * 3_600_000;
  return html`
    <span class="strong number">
      ${near ? time(next.at, { zone }) : `${day(next.at, { zone })}, ${time(next.at, { zone })}`}
    </span>
    ${
      near &&
      html`
        <span class="small quiet">${relative(next.at, now.value)}</span>
      `
    }
  `;
}

/** How often a schedule speaks, in words. @param {Schedule} row */
export function cadence(row) {
  if (row.schedule_type === "timeline") {
    const cycle = row.cycle_duration_minutes ?? 0;
    const seconds = (row.schedule_announcements ?? [])
      .map((entry) => entry.timestamp_seconds ?? 0)
      .sort((one, other) => one - other);
    const daily = cycle === 1440;
    const said = seconds
      .slice(0, 4)
      .map((second) =>
        daily ? time(second * 1000, { zone: "UTC", seconds: second % 60 > 0 }) : length(second * 1000),
      );
    const times = said.join(", ") + (seconds.length > said.length ? " …" : "");
    return daily
      ? t("schedules.every_day_at", { times })
      : cycle === 60
        ? t("schedules.every_hour_at", { times })
        : t("schedules.every_cycle", { n: cycle, times });
  }
  const minutes = row.interval_minutes ?? 0;
  if (minutes === 60) return t("schedules.every_hour");
  if (minutes === 1440) return t("schedules.every_day");
  return minutes % 60 ? t("schedules.every_minutes", { n: minutes }) : t("schedules.every_hours", { n: minutes / 60 });
}
