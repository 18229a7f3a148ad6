/** When speakers were there, and when nobody heard of them: a strip of the chosen time for each. */

import { day, dayAndTime, duration, number, percent, t } from "../../common/i18n.js";
import { useQuery } from "../../common/query.js";
import { Card, Failed, Table, sentence } from "../../common/ui.js";
import { html, useEffect } from "../../common/view.js";
import { dateOf, midnight, plusDays } from "../timeline/day.js";
import { uptimeQuery } from "./period.js";
import { honest, stretches } from "./strip.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["PaginatedUptimeList"]} Page */
/** @typedef {import("../../.types/api.js").components["schemas"]["Uptime"]} Uptime */

/** Up to so many days have their midnights marked. */
const MARKED_DAYS = 31;
const AGAIN_MS = 60_000;
const HIGH = 28;
const WIDE = 1000;
/** However short it was, it is seen. */
const LEAST = 3;
const LEAST_SHARE = 0.35;

/** @param {{ asked: URLSearchParams }} props */
export function UptimeCard({ asked }) {
  const { data, error, reload } = useQuery(`/api/devices/uptime/?${uptimeQuery(asked)}`);
  useEffect(() => {
    const timer = setInterval(reload, AGAIN_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const page = /** @type {Page | undefined} */ (data);
  if (error && !page) return html`<${Failed} words=${sentence(error)} onRetry=${reload} />`;
  if (!page?.results.length) return null;
  const worst = [...page.results].sort((one, other) => (one.share ?? 2) - (other.share ?? 2));
  return html`
    <${Card} title=${t("history.uptime")} class="history-uptime">
      <${Table} label=${t("history.uptime")} rows=${worst} keyOf=${(/** @type {Uptime} */ row) => row.device} columns=${columns(page)} />
      <div class="row wrap loose history-uptime-keys">
        ${/** @type {const} */ (["there", "away", "none"]).map(
          (kind) => html`
            <span key=${kind} class="row small">
              <span class=${`history-key history-${kind}`} aria-hidden="true"></span>
              ${t(`history.uptime_${kind}`)}
            </span>
          `,
        )}
      </div>
      ${page.count > worst.length && html`<p class="small quiet">${t("history.uptime_more", { n: page.count - worst.length })}</p>`}
    <//>
  `;
}

/** @param {Page} page */
function columns(page) {
  const midnights = midnightsOf(page);
  const [first, last] = [page.from, new Date(Date.parse(page.to) - 1).toISOString()].map((at) => day(at, { zone: page.timezone }));
  return [
    {
      key: "name",
      title: t("history.speaker"),
      cell: (/** @type {Uptime} */ row) => html`<a href=${`/devices/${row.device}`}>${row.device_name}</a>`,
    },
    {
      key: "strip",
      title: first === last ? first : t("history.uptime_span", { first, last }),
      cell: (/** @type {Uptime} */ row) => html`<${Strip} row=${row} page=${page} midnights=${midnights} />`,
    },
    {
      key: "share",
      title: t("history.uptime_there"),
      end: true,
      cell: (/** @type {Uptime} */ row) =>
        row.share === null ? html`<span class="quiet">–</span>` : html`<span class="strong number">${percent(honest(row.share))}</span>`,
    },
    {
      key: "outages",
      title: t("history.uptime_outages"),
      end: true,
      cell: (/** @type {Uptime} */ row) => number(row.outages),
    },
    {
      key: "longest",
      title: t("history.uptime_longest"),
      end: true,
      cell: (/** @type {Uptime} */ row) =>
        row.outages
          ? html`<span class="history-span">${duration(row.longest_s)}</span>`
          : html`<span class="quiet">–</span>`,
    },
  ];
}

/** Where in a strip days begin, 0 to 1, if they are few. @param {Page} page @returns {number[]} */
function midnightsOf({ from, to, timezone: zone }) {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const found = [];
  if (end - start > MARKED_DAYS * 86_400_000) return [];
  for (let date = plusDays(dateOf(start, zone), 1); midnight(date, zone) < end; date = plusDays(date, 1)) {
    found.push((midnight(date, zone) - start) / (end - start));
  }
  return found;
}

/** @param {{ row: Uptime, page: Page, midnights: number[] }} props */
function Strip({ row, page, midnights }) {
  const { parts, to, timezone: zone } = page;
  const all = stretches(parts, to, row.counted_parts_s, row.away_parts_s);
  const label =
    row.share === null
      ? t("history.uptime_none")
      : t("history.uptime_chart", { share: percent(honest(row.share)), n: row.outages });
  return html`
    <svg class="history-strip" viewBox=${`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" role="img" aria-label=${label}>
      ${all.map(({ kind, x, width, share, from, away }) => {
        const high = HIGH * Math.max(LEAST_SHARE, share);
        return html`
          <g key=${from}>
            ${
              kind === "away" &&
              html`<title>${t("history.uptime_part", { when: dayAndTime(from, { zone }), span: duration(away) })}</title>`
            }
            <rect class=${kind === "none" ? "none" : "there"} x=${x * WIDE} width=${width * WIDE} height=${HIGH} />
            ${
              kind === "away" &&
              html`<rect class="away" x=${x * WIDE} y=${HIGH - high} width=${Math.max(LEAST, width * WIDE)} height=${high} />`
            }
          </g>
        `;
      })}
      ${midnights.map(
        (x) => html`<line key=${x} x1=${x * WIDE} x2=${x * WIDE} y1="0" y2=${HIGH} vector-effect="non-scaling-stroke" />`,
      )}
    </svg>
  `;
}
