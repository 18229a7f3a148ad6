/** What may be added to a playlist: tracks and announcements that are not in it yet. */

import { length, t } from "../../common/i18n.js";
import { usePages } from "../../common/query.js";
import { Button, Failed, Icon, IconButton, Pager, Segments, Skeleton, TextField, sentence } from "../../common/ui.js";
import { html, useEffect, useState } from "../../common/view.js";

/** @typedef {import("./draft.js").DraftItem} DraftItem */

/** So long nobody types before it is searched. */
const PAUSE_MS = 300;

/** @param {{ items: DraftItem[], onAdd: (more: DraftItem[]) => void }} props */
export function Sounds({ items, onAdd }) {
  const [kind, setKind] = useState(/** @type {DraftItem["kind"]} */ ("music"));
  const [typed, setTyped] = useState("");
  const [wanted, setWanted] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setWanted(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const list = usePages(
    `/api/${kind === "music" ? "music" : "announcements"}/?page_size=50${wanted ? `&search=${encodeURIComponent(wanted)}` : ""}`,
  );
  const there = new Set(items.filter((item) => item.kind === kind).map((item) => item.of));
  const offered = list.rows?.filter((row) => !there.has(row.id) && row.status !== "failed");
  return html`
    <div class="stack">
      <div class="row wrap playlists-find">
        <${Segments}
          label=${t("playlists.sounds")}
          value=${kind}
          onValue=${(/** @type {any} */ next) => setKind(next)}
          options=${[
            ["music", t("playlists.music")],
            ["announcement", t("playlists.announcements")],
          ]}
        />
        <div class="grow">
          <${TextField}
            type="search"
            label=${html`
              <span class="unseen">${t("playlists.search")}</span>
            `}
            placeholder=${t("playlists.search")}
            value=${typed}
            onValue=${setTyped}
          />
        </div>
        ${
          offered &&
          offered.length > 1 &&
          html`
            <${Button} icon="add" onClick=${() => onAdd(offered.map((row) => itemOf(kind, row)))}>
              ${t("playlists.add_all")}
            <//>
          `
        }
      </div>
      ${
        list.error &&
        html`
          <${Failed} words=${sentence(list.error)} onRetry=${list.reload} />
        `
      }
      ${
        !list.rows &&
        list.loading &&
        html`
          <${Skeleton} lines=${3} height="2.5rem" />
        `
      }
      ${
        offered &&
        offered.length > 0 &&
        html`
          <ul class="playlists-sounds">
            ${offered.map((row) => {
              const item = itemOf(kind, row);
              return html`
                <li key=${row.id}>
                  <span class=${`playlists-kind ${kind}`}>
                    <${Icon} name=${kind === "music" ? "music" : "announcement"} />
                  </span>
                  <div class="grow">
                    <div class="cut">${item.title}</div>
                    <div class="small quiet cut">
                      ${[item.artist, length(item.duration_ms)].filter(Boolean).join(" · ")}
                    </div>
                  </div>
                  <${IconButton}
                    icon="add"
                    label=${t("playlists.add_of", { name: item.title })}
                    onClick=${() => onAdd([item])}
                  />
                </li>
              `;
            })}
          </ul>
        `
      }
      ${
        offered?.length === 0 &&
        html`
          <p class="quiet">
            ${t(list.rows?.length ? "playlists.added_none" : "playlists.no_sounds")}${" "}
            ${
              kind === "music" &&
              !wanted &&
              !list.rows?.length &&
              html`
                <a href="/music">${t("playlists.upload")}</a>
              `
            }
          </p>
        `
      }
      <${Pager} more=${list.more} />
    </div>
  `;
}

/** A sound as an item of a playlist. @param {DraftItem["kind"]} kind @param {any} row @returns {DraftItem} */
function itemOf(kind, row) {
  const ready = kind === "music" ? row.status === "ready" : row.playable;
  return {
    kind,
    of: row.id,
    title: row.name ?? row.title,
    artist: row.artist ?? "",
    duration_ms: row.duration_ms ?? 0,
    interval: "",
    why_not: ready ? "" : "processing",
  };
}
