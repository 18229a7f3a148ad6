/** A floor's day: drawn, and as a list. Which floor, day and zoom stands in the address. */

import { addTexts, day as dayInWords, t } from "../../common/i18n.js";
import { now } from "../../common/live.js";
import { useQuery } from "../../common/query.js";
import { query, setQuery } from "../../common/router.js";
import {
  Button,
  EmptyState,
  Failed,
  IconButton,
  PageHeader,
  Select,
  Skeleton,
  TextField,
  sentence,
} from "../../common/ui.js";
import { html, useComputed, useState } from "../../common/view.js";
import { ZOOMS, counted, dateOf, plusDays, span } from "./day.js";
import de from "./de.js";
import { Drawing, Fate } from "./drawing.js";
import en from "./en.js";
import { AsList, Detail } from "./told.js";

addTexts({ en, de });

/** @typedef {import("../../.types/api.js").components["schemas"]["Timeline"]} Timeline */

/** How close one looks at first. */
const FIRST_ZOOM = 1;

/** The page. */
export default function TimelinePage() {
  const floors = useQuery("/api/floors/?page_size=200");
  const all = /** @type {any[]} */ (floors.data?.results ?? []);
  const floor = all.find((each) => String(each.id) === query.value.get("floor")) ?? all[0];
  return html`
    <${PageHeader} title=${t("frame.timeline")} lead=${t("timeline.lead")} />
    ${
      floors.error && !floors.data
        ? html`
            <${Failed} words=${sentence(floors.error)} onRetry=${floors.reload} />
          `
        : !floors.data
          ? html`
              <${Skeleton} lines=${3} height="6rem" />
            `
          : !floor
            ? html`
                <div class="card">
                  <${EmptyState}
                    icon="timeline"
                    title=${t("timeline.no_floors")}
                    action=${html`
                      <${Button} kind="primary" href="/settings">${t("timeline.to_settings")}<//>
                    `}
                  >
                    ${t("timeline.no_floors_text")}
                  <//>
                </div>
              `
            : html`
                <${Day} key=${floor.id} floor=${floor} floors=${all} />
              `
    }
  `;
}

/** @param {{ floor: any, floors: any[] }} props */
function Day({ floor, floors }) {
  const zone = floor.effective_timezone;
  const today = useComputed(() => dateOf(now.value, zone)).value; // drawn anew at midnight, not each second
  const asked = query.value.get("day") ?? "";
  const date = /^\d{4}-\d\d-\d\d$/.test(asked) && !Number.isNaN(Date.parse(asked)) ? asked : today;
  const zoom = Math.max(0, Math.min(ZOOMS.length - 1, Number(query.value.get("zoom") ?? FIRST_ZOOM) || 0));
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  const bounds = span(date, zone);
  const window = new URLSearchParams({
    from: new Date(bounds.start).toISOString(),
    to: new Date(bounds.end).toISOString(),
  });
  const answer = useQuery(`/api/floors/${floor.id}/timeline/?${window}`, {
    topics: ["plays", "playlists", "schedules", "announcements", "music", "floors", "stops"],
  });
  const data = /** @type {Timeline | undefined} */ (answer.data);
  const go = (/** @type {string} */ to) => {
    setChosen(null);
    setQuery({ day: to === today ? null : to });
  };
  const close = (/** @type {number} */ to) => setQuery({ zoom: to === FIRST_ZOOM ? null : to });
  const item = data?.announcements.find((each) => key(each) === chosen);
  const numbers = data ? counted(data.announcements) : {};
  return html`
    <div class="timeline-bar">
      ${
        floors.length > 1 &&
        html`
          <${Select}
            label=${t("timeline.floor")}
            value=${floor.id}
            options=${floors.map((each) => [each.id, each.name])}
            onValue=${(/** @type {string} */ id) => setQuery({ floor: id })}
          />
        `
      }
      <div class="row timeline-days">
        <${IconButton} icon="left" label=${t("timeline.previous_day")} onClick=${() => go(plusDays(date, -1))} />
        <${TextField}
          type="date"
          label=${t("timeline.day")}
          value=${date}
          onValue=${(/** @type {string} */ to) => to && go(to)}
        />
        <${IconButton} icon="right" label=${t("timeline.next_day")} onClick=${() => go(plusDays(date, 1))} />
        ${
          date !== today &&
          html`
            <${Button} onClick=${() => go(today)}>${t("timeline.today")}<//>
          `
        }
      </div>
      <div class="row">
        <${Button} disabled=${zoom === 0} onClick=${() => close(zoom - 1)}>${t("timeline.zoom_out")}<//>
        <${Button} disabled=${zoom === ZOOMS.length - 1} onClick=${() => close(zoom + 1)}>${t("timeline.zoom_in")}<//>
      </div>
    </div>
    ${
      answer.error &&
      html`
        <${Failed} words=${sentence(answer.error)} onRetry=${answer.reload} />
      `
    }
    ${
      !data
        ? !answer.error &&
          html`
            <${Skeleton} lines=${1} height="14rem" />
          `
        : html`
            <section class="card flush" aria-label=${dayInWords(bounds.start, { zone, year: true })}>
              <div class="timeline-head">
                <h2>${dayInWords(bounds.start, { zone, year: true })}</h2>
                <ul class="row wrap loose">
                  ${
                    /** @type {const} */ (["heard", "sounding", "coming", "left_out", "missed"])
                      .filter((fate) => numbers[fate])
                      .map(
                        (fate) => html`
                          <li key=${fate} class="row small">
                            <${Fate} fate=${fate} />
                            <span>${t(`timeline.fate_${fate}`)}</span>
                            <span class="strong number">${numbers[fate]}</span>
                          </li>
                        `,
                      )
                  }
                </ul>
              </div>
              <${Drawing}
                key=${`${floor.id} ${date}`}
                data=${data}
                day=${bounds}
                zone=${zone}
                zoom=${zoom}
                chosen=${item ?? null}
                onChoose=${(/** @type {any} */ found) => setChosen(found && key(found))}
                onZoom=${close}
              />
              <${Detail} item=${item ?? null} all=${data.announcements} zone=${zone} onClose=${() => setChosen(null)} />
            </section>
            ${
              !data.segments.length &&
              !data.announcements.length &&
              html`
                <div class="card">
                  <${EmptyState}
                    icon="playlist"
                    title=${t("timeline.empty")}
                    action=${html`
                      <${Button} href="/playlists">${t("timeline.make_playlist")}<//>
                    `}
                  >
                    ${t("timeline.empty_text")}
                  <//>
                </div>
              `
            }
            <${AsList} data=${data} zone=${zone} onChoose=${(/** @type {any} */ found) => setChosen(key(found))} />
            <p class="small quiet">${t("timeline.zone", { zone })}</p>
          `
    }
  `;
}

/**
 * What tells one item from the others: a play may have an item for each fate of its speakers.
 * @param {import("./day.js").Item} item
 */
const key = (item) => `${item.play_id} ${item.outcome} ${item.reason}`;
