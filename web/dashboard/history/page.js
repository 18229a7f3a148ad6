/** History: proof of play. What is asked for stands in the address, so that it can be passed on. */

import { addTexts, dayAndTime, length, t, time } from "../../common/i18n.js";
import { now } from "../../common/live.js";
import { usePages, useQuery } from "../../common/query.js";
import { query, setQuery } from "../../common/router.js";
import { zone as ownZone } from "../../common/session.js";
import {
  Badge,
  Button,
  Dialog,
  EmptyState,
  Failed,
  PageHeader,
  Pager,
  Progress,
  Segments,
  Select,
  Skeleton,
  Table,
  TextField,
  sentence,
  toast,
} from "../../common/ui.js";
import { html, useComputed, useEffect, useState } from "../../common/view.js";
import { KIND_OF, PRIORITIES, REASONS, STATUSES, priorityInWords, statusInWords, why } from "../plays/words.js";
import { dateOf } from "../timeline/day.js";
import { Charts } from "./charts.js";
import { exportPlays, exporting } from "./csv.js";
import de from "./de.js";
import en from "./en.js";
import { FILTERS, askedOf, datesOf } from "./period.js";
import { UptimeCard } from "./uptime.js";

addTexts({ en, de });

/** @typedef {import("../../.types/api.js").components["schemas"]["PlayEvent"]} PlayEvent */
/** @typedef {import("../plays/words.js").Status} Status */

/** So long nobody types before it is searched. */
const PAUSE_MS = 400;

/** The page. */
export default function History() {
  const zone = ownZone.value ?? "UTC";
  const today = useComputed(() => dateOf(now.value, zone)).value; // drawn anew at midnight, not each second
  const dates = datesOf(query.value, today);
  const asked = askedOf(query.value, dates, zone);
  const [open, setOpen] = useState(/** @type {string | null} */ (null));
  const plays = usePages(`/api/play-events/?${asked}`);
  const numbers = useQuery(`/api/play-events/summary/?${asked}`);
  const rows = /** @type {PlayEvent[] | undefined} */ (plays.rows);
  const filtered = FILTERS.some((name) => query.value.get(name));
  return html`
    <${PageHeader} title=${t("frame.history")} lead=${t("history.lead")}>
      <${Export} asked=${asked} name=${`plays-${dates.first}-${dates.last}.csv`} idle=${!rows?.length} />
    <//>
    <${Filters} dates=${dates} filtered=${filtered} />
    ${
      numbers.error &&
      !plays.error &&
      html`
        <${Failed} words=${sentence(numbers.error)} onRetry=${numbers.reload} />
      `
    }
    ${
      numbers.data
        ? numbers.data.days.length > 0 &&
          html`
            <${Charts} data=${numbers.data} dates=${dates} />
          `
        : numbers.loading &&
          html`
            <${Skeleton} lines=${1} height="12rem" />
          `
    }
    <${UptimeCard} asked=${asked} />
    ${
      plays.error &&
      html`
        <${Failed} words=${sentence(plays.error)} onRetry=${plays.reload} />
      `
    }
    ${
      !rows &&
      plays.loading &&
      html`
        <${Skeleton} lines=${6} />
      `
    }
    ${
      rows?.length === 0 &&
      (filtered || dates.period !== "week"
        ? html`
            <p class="quiet">${t("history.no_match")}</p>
          `
        : html`
            <div class="card">
              <${EmptyState}
                icon="history"
                title=${t("history.empty")}
                action=${html`
                  <${Button} href="/announcements">${t("history.play_announcement")}<//>
                `}
              >
                ${t("history.empty_text")}
              <//>
            </div>
          `)
    }
    ${
      rows &&
      rows.length > 0 &&
      html`
        <section class="card flush">
          <${Table} label=${t("history.plays")} rows=${rows} columns=${columns(zone, setOpen)} />
        </section>
      `
    }
    <${Pager} more=${plays.more} />
    <p class="small quiet">${t("history.zone", { zone })}</p>
    ${
      open !== null &&
      html`
        <${Details} key=${open} id=${open} zone=${zone} onClose=${() => setOpen(null)} />
      `
    }
  `;
}

/** @param {string} zone @param {(id: string) => void} onOpen */
function columns(zone, onOpen) {
  return [
    {
      key: "when",
      title: t("history.when"),
      cell: (/** @type {PlayEvent} */ row) => html`
        <span class="number history-when">${dayAndTime(row.play_at, { zone, seconds: true })}</span>
      `,
    },
    {
      key: "what",
      title: t("history.announcement"),
      cell: (/** @type {PlayEvent} */ row) => html`
        <button
          type="button"
          class="button plain small history-pick"
          aria-label=${t("history.details", { name: row.announcement_title ?? "" })}
          onClick=${() => onOpen(row.id)}
        >
          ${row.announcement_title || "–"}
        </button>
      `,
    },
    {
      key: "where",
      title: t("history.where"),
      cell: (/** @type {PlayEvent} */ row) => html`
        ${row.device_name}${" "}
        ${row.floor_name && html`<span class="small quiet">${row.floor_name}</span>`}
      `,
    },
    {
      key: "kind",
      title: t("history.kind"),
      cell: (/** @type {PlayEvent} */ row) => priorityInWords(row.priority ?? ""),
    },
    {
      key: "outcome",
      title: t("history.outcome"),
      cell: (/** @type {PlayEvent} */ row) => html`
        <${Outcome} status=${row.status} />
      `,
    },
    {
      key: "why",
      title: t("history.why"),
      cell: (/** @type {PlayEvent} */ row) => row.reason && why(row.reason, row.error_message),
    },
  ];
}

/** @param {{ status?: string }} props */
function Outcome({ status = "pending" }) {
  return html`
    <${Badge} kind=${KIND_OF[/** @type {Status} */ (status)]}>${statusInWords(status)}<//>
  `;
}

/** @param {{ asked: URLSearchParams, name: string, idle: boolean }} props */
function Export({ asked, name, idle }) {
  const under = exporting.value;
  const begin = () =>
    exportPlays(asked, name).catch((error) =>
      toast(t("history.csv_failed", { why: sentence(error) }), { kind: "bad" }),
    );
  if (!under)
    return html`
      <${Button} icon="download" disabled=${idle} onClick=${begin}>${t("history.csv")}<//>
    `;
  return html`
    <div class="history-export" role="status">
      <span class="small">${t("history.csv_progress", { n: under.rows })}</span>
      <${Progress} share=${under.share} label=${t("history.csv")} />
      <${Button} size="small" onClick=${under.stop}>${t("history.csv_stop")}<//>
    </div>
  `;
}

/** @param {{ dates: { period: string, first: string, last: string }, filtered: boolean }} props */
function Filters({ dates, filtered }) {
  const floors = useQuery("/api/floors/?page_size=200").data?.results ?? [];
  const speakers = useQuery("/api/devices/?page_size=200").data?.results ?? [];
  const of = (/** @type {string} */ name) => query.value.get(name) ?? "";
  const [typed, setTyped] = useState(of("search"));
  useEffect(() => {
    if (typed.trim() === of("search")) return undefined;
    const timer = setTimeout(() => setQuery({ search: typed.trim() }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const choice = (
    /** @type {string} */ name,
    /** @type {string} */ label,
    /** @type {string} */ all,
    /** @type {[string | number, string][]} */ options,
  ) => html`
    <${Select}
      label=${label}
      value=${of(name)}
      options=${[["", all], ...options]}
      onValue=${(/** @type {string} */ value) => setQuery({ [name]: value, ...(name === "floor" && { device: null }) })}
    />
  `;
  const period = (/** @type {string} */ next) =>
    setQuery(
      next === "own"
        ? { period: null, first: dates.first, last: dates.last }
        : { period: next === "week" ? null : next, first: null, last: null },
    );
  const here = speakers.filter((/** @type {any} */ device) => !of("floor") || String(device.floor) === of("floor"));
  return html`
    <div class="stack">
      <div class="row wrap loose">
        <${Segments}
          label=${t("history.period")}
          value=${dates.period}
          onValue=${period}
          options=${[
            ["today", t("history.period_today")],
            ["week", t("history.period_week")],
            ["month", t("history.period_month")],
            ["own", t("history.period_own")],
          ]}
        />
        ${
          dates.period === "own" &&
          html`
            <div class="history-dates">
              <${TextField}
                type="date"
                label=${t("history.first")}
                value=${dates.first}
                max=${dates.last}
                onValue=${(/** @type {string} */ first) => first && setQuery({ first })}
              />
              <${TextField}
                type="date"
                label=${t("history.last")}
                value=${dates.last}
                onValue=${(/** @type {string} */ last) => last && setQuery({ last })}
              />
            </div>
          `
        }
      </div>
      <div class="history-filters">
        ${choice(
          "floor",
          t("history.floor"),
          t("history.all_floors"),
          floors.map((/** @type {any} */ floor) => [floor.id, floor.name]),
        )}
        ${choice(
          "device",
          t("history.speaker"),
          t("history.all_speakers"),
          here.map((/** @type {any} */ device) => [device.id, device.name]),
        )}
        ${choice(
          "status",
          t("history.outcome"),
          t("history.all_outcomes"),
          STATUSES.map((status) => [status, statusInWords(status)]),
        )}
        ${choice(
          "reason",
          t("history.reason"),
          t("history.all_reasons"),
          REASONS.filter((reason) => reason !== "disabled").map((reason) => [reason, why(reason)]),
        )}
        ${choice(
          "priority",
          t("history.kind"),
          t("history.all_kinds"),
          PRIORITIES.map((priority) => [priority, priorityInWords(priority)]),
        )}
        <${TextField} type="search" label=${t("history.search")} value=${typed} onValue=${setTyped} />
      </div>
      ${
        filtered &&
        html`
          <div>
            <${Button}
              size="small"
              icon="close"
              onClick=${() => {
                setTyped("");
                setQuery(Object.fromEntries(FILTERS.map((name) => [name, null])));
              }}
            >
              ${t("history.clear")}
            <//>
          </div>
        `
      }
    </div>
  `;
}

/** One play with its whole history. @param {{ id: string, zone: string, onClose: () => void }} props */
function Details({ id, zone, onClose }) {
  const play = useQuery(`/api/play-events/${id}/`);
  const row = /** @type {import("../../.types/api.js").components["schemas"]["PlayEventDetail"] | undefined} */ (
    play.data
  );
  const offset = row?.start_error_us ?? null;
  const facts =
    row &&
    [
      [
        t("history.outcome"),
        html`
          <${Outcome} status=${row.status} />
        `,
      ],
      row.reason && [t("history.why"), why(row.reason, row.error_message)],
      [t("history.planned"), dayAndTime(row.play_at, { zone, seconds: true })],
      [t("history.where"), [row.device_name, row.floor_name].filter(Boolean).join(", ")],
      row.played_ms !== null && row.played_ms !== undefined && [t("history.played"), length(row.played_ms)],
      offset !== null && [
        t("history.on_time"),
        t(offset < 0 ? "history.early" : "history.late", { n: Math.round(Math.abs(offset) / 100) / 10 }),
      ],
      [t("history.kind"), priorityInWords(row.priority ?? "")],
      row.created_by_name && [t("history.by_person"), row.created_by_name],
    ].filter(Boolean);
  return html`
    <${Dialog} title=${row?.announcement_title || t("history.announcement")} onClose=${onClose}>
      ${
        play.error &&
        html`
          <${Failed} words=${sentence(play.error)} onRetry=${play.reload} />
        `
      }
      ${
        !row &&
        !play.error &&
        html`
          <${Skeleton} lines=${3} />
        `
      }
      ${
        facts &&
        html`
          <dl class="history-facts">
            ${facts.map(
              (fact) =>
                fact &&
                html`
                  <div key=${fact[0]}>
                    <dt class="small quiet">${fact[0]}</dt>
                    <dd>${fact[1]}</dd>
                  </div>
                `,
            )}
          </dl>
          <h3>${t("history.changes")}</h3>
          <ol class="history-changes">
            ${row?.changes.map(
              (change, index) => html`
                <li key=${index}>
                  <span class="number small">${time(change.at, { zone, seconds: true })}</span>
                  <span>
                    <span class="strong">${statusInWords(change.status)}</span>
                    ${change.reason && ` ${why(change.reason, change.message)}`}${" "}
                    <span class="small quiet">
                      ${t(`history.source_${change.source}`)}${change.correction ? `, ${t("history.correction")}` : ""}
                    </span>
                  </span>
                </li>
              `,
            )}
          </ol>
        `
      }
    <//>
  `;
}
