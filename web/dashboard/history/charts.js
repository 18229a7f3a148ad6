/**
 * Numbers drawn: plays per day, success by speaker, reasons. Bars have their numbers as text; colours are never alone.
 */

import { day as dayInWords, number, percent, t } from "../../common/i18n.js";
import { setQuery } from "../../common/router.js";
import { Card, Table } from "../../common/ui.js";
import { html } from "../../common/view.js";
import { why } from "../plays/words.js";
import { everyDay, reached, success, summed, top } from "./period.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Summary"]} Summary */
/** @typedef {import("./period.js").Tally} Tally */

/** The picture's own measures; it is drawn as wide as there is room. */
const WIDE = 720;
const HIGH = 160;
const FOOT = 22;
/** Dates that are written below the bars at most. */
const DATES = 8;

/** @param {{ data: Summary, dates: { first: string, last: string } }} props */
export function Charts({ data, dates }) {
  const sum = summed(data.days);
  const rate = success(sum);
  return html`
    <div class="history-charts">
      <${Card} title=${t("history.per_day")}>
        <div class="row wrap loose history-sums">
          ${
            rate !== null &&
            html`
              <span title=${t("history.success_hint")}>
                <span class="history-big number">${percent(rate)}</span>${" "}
                <span class="small quiet">${t("history.success")}</span>
              </span>
            `
          }
          <${Key} of="heard" n=${sum.completed} />
          <${Key} of="not_heard" n=${sum.failed - sum.left_out} />
          <${Key} of="left_out" n=${sum.left_out} />
        </div>
        <${Days} days=${everyDay(data.days, dates.first, dates.last)} sum=${sum} />
      <//>
      ${
        data.reasons.length > 0 &&
        html`
          <${Card} title=${t("history.reasons")}><${Reasons} reasons=${data.reasons} /><//>
        `
      }
      ${
        data.devices.length > 0 &&
        html`
          <${Card} title=${t("history.speakers")} class="history-wide"><${Speakers} devices=${data.devices} /><//>
        `
      }
    </div>
  `;
}

/** @param {{ of: "heard" | "not_heard" | "left_out", n: number }} props */
function Key({ of, n }) {
  return html`
    <span class="row small">
      <span class=${`history-key ${of}`} aria-hidden="true"></span>
      ${t(`history.${of}`)}${" "}
      <span class="strong number">${number(n)}</span>
    </span>
  `;
}

/** @param {{ days: (Tally & { day: string })[], sum: Tally }} props */
function Days({ days, sum }) {
  const high = top(Math.max(1, ...days.map((each) => each.completed + each.failed)));
  const step = WIDE / days.length;
  const bar = Math.max(1, Math.min(48, step * 0.72));
  const every = Math.ceil(days.length / DATES);
  const px = (HIGH - FOOT) / high;
  return html`
    <svg
      class="history-days"
      viewBox=${`0 0 ${WIDE} ${HIGH}`}
      role="img"
      aria-label=${t("history.per_day_chart", { heard: sum.completed, missed: sum.failed - sum.left_out, left_out: sum.left_out })}
    >
      ${[0.5, 1]
        .filter((part) => Number.isInteger(part * high))
        .map(
          (part) => html`
            <g key=${part}>
              <line
                x1="0"
                x2=${WIDE}
                y1=${HIGH - FOOT - part * high * px + 0.5}
                y2=${HIGH - FOOT - part * high * px + 0.5}
              />
              <text x="0" y=${HIGH - FOOT - part * high * px + 12}>${number(part * high)}</text>
            </g>
          `,
        )}
      ${days.map((each, index) => {
        const x = index * step + (step - bar) / 2;
        let y = HIGH - FOOT;
        const parts = /** @type {const} */ ([
          ["heard", each.completed],
          ["not_heard", each.failed - each.left_out],
          ["left_out", each.left_out],
        ]);
        const date = dayInWords(`${each.day}T12:00:00Z`, { zone: "UTC" });
        const words = `${date}: ${parts.map(([name, n]) => `${t(`history.${name}`)} ${number(n)}`).join(", ")}`;
        return html`
          <g key=${each.day}>
            <title>${words}</title>
            <rect class="reach" x=${index * step} y="0" width=${step} height=${HIGH - FOOT} />
            ${parts.map(([name, n]) => {
              y -= n * px;
              return (
                n > 0 &&
                html`
                  <rect key=${name} class=${name} x=${x} y=${y} width=${bar} height=${n * px} />
                `
              );
            })}
            ${
              index % every === 0 &&
              html`
                <text
                  class=${(index / every) % 2 ? "spare" : ""}
                  x=${index * step + step / 2}
                  y=${HIGH - 6}
                  text-anchor="middle"
                >
                  ${dayInWords(`${each.day}T12:00:00Z`, { zone: "UTC" })}
                </text>
              `
            }
          </g>
        `;
      })}
      <line x1="0" x2=${WIDE} y1=${HIGH - FOOT} y2=${HIGH - FOOT} class="ground" />
    </svg>
  `;
}

/** @param {{ reasons: Summary["reasons"] }} props */
function Reasons({ reasons }) {
  const most = Math.max(...reasons.map((each) => each.number));
  return html`
    <ul class="history-reasons">
      ${reasons.slice(0, 8).map(
        (each) => html`
          <li key=${each.reason}>
            <button type="button" class="history-reason" onClick=${() => setQuery({ reason: each.reason })}>
              <span class="grow">${why(each.reason, each.message)}</span>
              <span class="strong number">${number(each.number)}</span>
            </button>
            <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
              <rect width=${(100 * each.number) / most} height="4" rx="2" />
            </svg>
          </li>
        `,
      )}
    </ul>
  `;
}

/** @param {{ devices: Summary["devices"] }} props */
function Speakers({ devices }) {
  const worst = [...devices].sort((one, other) => (success(one) ?? 2) - (success(other) ?? 2));
  return html`
    <${Table}
      label=${t("history.speakers")}
      rows=${worst}
      keyOf=${(/** @type {any} */ row) => row.device ?? row.device_name}
      columns=${[
        {
          key: "name",
          title: t("history.speaker"),
          cell: (/** @type {any} */ row) =>
            row.device === null
              ? t("history.removed", { name: row.device_name })
              : html`
                  <a href=${`/devices/${row.device}`}>${row.device_name}</a>
                `,
        },
        {
          key: "success",
          title: t("history.success"),
          cell: (/** @type {any} */ row) => html`
            <${Share} share=${success(row)} hint=${t("history.success_hint")} />
          `,
        },
        {
          key: "reached",
          title: t("history.reached"),
          cell: (/** @type {any} */ row) => html`
            <${Share} share=${reached(row)} hint=${t("history.reached_hint")} />
          `,
        },
        { key: "heard", title: t("history.heard"), end: true, cell: (/** @type {any} */ row) => number(row.completed) },
        {
          key: "not_heard",
          title: t("history.not_heard"),
          end: true,
          cell: (/** @type {any} */ row) => number(row.failed - row.left_out),
        },
        {
          key: "left_out",
          title: t("history.left_out"),
          end: true,
          cell: (/** @type {any} */ row) => number(row.left_out),
        },
      ]}
    />
  `;
}

/** @param {{ share: number | null, hint: string }} props */
function Share({ share, hint }) {
  if (share === null)
    return html`
      <span class="quiet">–</span>
    `;
  const kind = share >= 0.98 ? "good" : share >= 0.9 ? "warn" : "bad";
  return html`
    <span class="history-share" title=${hint}>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="whole" width="100" height="8" />
        <rect class=${kind} width=${share * 100} height="8" />
      </svg>
      <span class="number">${percent(share)}</span>
    </span>
  `;
}
