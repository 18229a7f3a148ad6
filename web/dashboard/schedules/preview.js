/** When a schedule would speak, asked of the server as one types. */

import { ApiError, api } from "../../common/api.js";
import { day, t, time } from "../../common/i18n.js";
import { Card, Skeleton, sentence } from "../../common/ui.js";
import { html, useEffect, useState } from "../../common/view.js";
import { why } from "../plays/words.js";
import { bodyOf, byDay } from "./draft.js";

/** So long nobody types before it is asked. */
const PAUSE_MS = 350;
/** Times that are shown of one day. */
const MOST_OF_A_DAY = 24;

/** @typedef {import("../../.types/api.js").components["schemas"]["Foreseen"]} Foreseen */

/** @param {{ draft: import("./draft.js").Draft, replaces: string | null }} props */
export function Preview({ draft, replaces }) {
  const [seen, setSeen] = useState(/** @type {{ data?: Foreseen, error?: unknown }} */ ({}));
  const { name: _name, enabled: _enabled, ...body } = bodyOf(draft);
  const asked = JSON.stringify({ ...body, ...(replaces && { replaces: Number(replaces) }) });
  const somewhere = draft.floors.length + draft.devices.length > 0;
  useEffect(() => {
    if (!somewhere) return undefined;
    const asking = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const data = await api.post("/api/schedules/preview/", JSON.parse(asked), { signal: asking.signal });
        setSeen({ data });
      } catch (error) {
        if (!asking.signal.aborted) setSeen((before) => ({ data: before.data, error }));
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [asked, somewhere]);

  return html`
    <${Card} title=${t("schedules.preview")} class="schedules-preview">
      <p class="small quiet schedules-said">${t(draft.enabled ? "schedules.preview_lead" : "schedules.preview_off")}</p>
      <div aria-live="polite">
        ${
          !somewhere
            ? html`
                <p>${t("schedules.preview_nowhere")}</p>
              `
            : seen.error
              ? html`
                  <p class="warn">
                    ${refused(seen.error)}
                  </p>
                `
              : !seen.data
                ? html`
                    <${Skeleton} lines=${3} height="2rem" />
                  `
                : html`
                    <${Times} data=${seen.data} several=${draft.schedule_announcements.length > 1} />
                  `
        }
      </div>
    <//>
  `;
}

/** Why there are no times to show: what fields show themselves is not said twice. @param {unknown} error */
function refused(error) {
  if (!(error instanceof ApiError) || error.status !== 400) return sentence(error);
  return error.beside([]) || t("schedules.preview_incomplete");
}

/** @param {{ data: Foreseen, several: boolean }} props */
function Times({ data, several }) {
  const zones = new Set(data.occurrences.map((each) => each.timezone));
  const ends = day(data.until);
  return html`
    <div class="stack">
      ${
        data.occurrences.length === 0 &&
        html`
          <p class="warn">${t(data.left_out.length ? "schedules.preview_empty" : "schedules.preview_nothing", { day: ends })}</p>
        `
      }
      ${byDay(data.occurrences)
        .slice(0, 4)
        .map(
          ([date, times]) => html`
            <section key=${date}>
              <h3>${day(`${date}T12:00:00Z`, { zone: "UTC" })}</h3>
              <ol class="schedules-times">
                ${times.slice(0, MOST_OF_A_DAY).map(
                  (each) => html`
                    <li key=${each.at + each.timezone} class="number">
                      ${time(each.at, { zone: each.timezone, seconds: each.local_time.slice(17, 19) !== "00" })}
                      ${
                        zones.size > 1 &&
                        html`
                          <span class="small quiet">${city(each.timezone)}</span>
                        `
                      }${
                        several &&
                        each.announcement_title &&
                        html`
                          <span class="small quiet cut">${each.announcement_title}</span>
                        `
                      }
                    </li>
                  `,
                )}
                ${
                  times.length > MOST_OF_A_DAY &&
                  html`
                    <li class="quiet">…</li>
                  `
                }
              </ol>
            </section>
          `,
        )}
      ${
        zones.size === 1 &&
        html`
          <p class="small quiet">${t("schedules.preview_zone", { zone: [...zones][0] })}</p>
        `
      }
      ${
        data.left_out.length > 0 &&
        html`
          <section>
            <h3>${t("schedules.left_out_title")}</h3>
            <ul class="stack tight small">
              ${data.left_out.map(
                (each) => html`
                  <li key=${each.reason}>
                    ${t("schedules.left_out", { n: each.number, why: why(each.reason, each.message) })}
                  </li>
                `,
              )}
            </ul>
          </section>
        `
      }
    </div>
  `;
}

/** A zone in short: Europe/London is London. @param {string} zone */
const city = (zone) => (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
