/** All playlists: what is in them, where they play, and a switch. */

import { api } from "../../common/api.js";
import { length, t } from "../../common/i18n.js";
import { invalidate, usePages, useQuery } from "../../common/query.js";
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
  sentence,
  toast,
  toastError,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { placesInWords, quietInWords } from "../rules/fields.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["ChannelPlaylist"]} Row */

/** The list. */
export function List() {
  const [asked, setAsked] = useState(/** @type {Row | null} */ (null));
  const playlists = usePages("/api/channel-playlists/?page_size=100");
  const floors = useQuery("/api/floors/?page_size=200");
  const rows = /** @type {Row[] | undefined} */ (playlists.rows);
  const fresh =
    may("playlists.manage") &&
    html`
      <${Button} kind="primary" icon="add" href="/playlists/new" disabled=${Boolean(locked.value)}>
        ${t("playlists.new")}
      <//>
    `;
  return html`
    <${PageHeader} title=${t("frame.playlists")} lead=${t("playlists.lead")}>${Boolean(rows?.length) && fresh}<//>
    ${
      playlists.error &&
      html`
        <${Failed} words=${sentence(playlists.error)} onRetry=${playlists.reload} />
      `
    }
    ${
      !rows &&
      playlists.loading &&
      html`
        <${Skeleton} lines=${4} />
      `
    }
    ${
      rows?.length === 0 &&
      html`
        <div class="card">
          <${EmptyState} icon="playlist" title=${t("playlists.empty")} action=${fresh}>${t("playlists.empty_text")}<//>
        </div>
      `
    }
    ${
      rows &&
      rows.length > 0 &&
      html`
        <ul class="card flush list">
          ${rows.map(
            (row) => html`
              <${Line} key=${row.id} row=${row} floors=${floors.data?.results ?? []} onDelete=${() => setAsked(row)} />
            `,
          )}
        </ul>
      `
    }
    <${Pager} more=${playlists.more} />
    ${
      asked &&
      html`
        <${Ask}
          title=${t("playlists.delete_title", { name: asked.name })}
          text=${t("playlists.delete_text")}
          button=${t("playlists.delete")}
          onClose=${() => setAsked(null)}
          act=${async () => {
            await api.delete(`/api/channel-playlists/${asked.id}/`);
            invalidate("/api/channel-playlists/");
            toast(t("playlists.deleted"));
          }}
        />
      `
    }
  `;
}

/** @param {{ row: Row, floors: any[], onDelete: () => void }} props */
function Line({ row, floors, onDelete }) {
  const [busy, setBusy] = useState(false);
  const manages = may("playlists.manage");
  const toggle = async () => {
    setBusy(true);
    try {
      const after = await api.patch(`/api/channel-playlists/${row.id}/`, { enabled: !row.enabled });
      toast(t(after.enabled ? "playlists.turned_on" : "playlists.turned_off", { name: row.name }));
    } catch (error) {
      toastError(error);
    } finally {
      invalidate("/api/channel-playlists/");
      setBusy(false);
    }
  };
  const inside = [
    t("playlists.n_tracks", { n: row.music_count }),
    row.announcement_count ? t("playlists.n_announcements", { n: row.announcement_count }) : "",
    t("playlists.length", { length: length(row.music_duration * 1000) }),
    quietInWords(/** @type {any} */ (row)),
  ];
  return html`
    <li>
      <${Switch}
        label=${html`
          <span class="unseen">${t("playlists.toggle", { name: row.name })}</span>
        `}
        checked=${row.enabled ?? true}
        disabled=${!manages || Boolean(locked.value) || busy}
        onValue=${toggle}
      />
      <div class="grow">
        ${
          manages
            ? html`
                <a class="strong playlists-name" href=${`/playlists/${row.id}`}>${row.name}</a>
              `
            : html`
                <span class="strong">${row.name}</span>
              `
        }
        <div class="small quiet">${inside.filter(Boolean).join(" · ")}</div>
        <div class="small">
          ${placesInWords(
            floors,
            row.floors.map((floor) => floor.id),
          )}
        </div>
      </div>
      ${
        manages &&
        html`
          <${Menu}
            label=${row.name}
            items=${[
              { text: t("playlists.edit"), icon: "edit", href: `/playlists/${row.id}` },
              { text: t("playlists.delete"), icon: "remove", danger: true, act: onDelete },
            ]}
          />
        `
      }
    </li>
  `;
}
