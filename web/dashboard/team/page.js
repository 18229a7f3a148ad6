/** Who may act for the business: admins, and floor users of one floor. */

import "./texts.js";
import { api } from "../../common/api.js";
import { relative, t } from "../../common/i18n.js";
import { invalidate, usePages } from "../../common/query.js";
import { locked, me } from "../../common/session.js";
import {
  Ask,
  Avatar,
  Badge,
  Button,
  Card,
  EmptyState,
  Failed,
  Menu,
  PageHeader,
  Pager,
  Skeleton,
  Table,
  sentence,
  toast,
  toastError,
} from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { PersonDialog } from "./person.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["User"]} User */

/** Which color says each state of an account. */
const STATES = /** @type {const} */ ({ active: "good", invited: "accent", inactive: "plain" });

/**
 * What the page asks; a person's row may change by themselves (their name, their last visit), so nothing is kept for
 * long.
 */
const PEOPLE = "/api/users/?ordering=name";

/** The page. */
export default function Page() {
  const { rows, error, more, reload } = usePages(PEOPLE);
  const [shown, setShown] = useState(/** @type {{ what: "edit" | "out" | "remove", user?: User } | null} */ (null));
  const close = () => setShown(null);
  const user = shown?.user;

  /** @param {() => Promise<unknown>} act @param {string} said */
  const now = async (act, said) => {
    try {
      await act();
      invalidate("/api/users/");
      toast(said);
    } catch (problem) {
      toastError(problem);
    }
  };

  /** What can be done with an account. Oneself is changed on the profile's page. @param {User} row */
  const items = (row) => [
    { text: t("team.edit"), icon: /** @type {const} */ ("edit"), act: () => setShown({ what: "edit", user: row }) },
    ...(row.status === "invited"
      ? [
          {
            text: t("team.invite_again"),
            icon: /** @type {const} */ ("refresh"),
            act: () => now(() => api.post(`/api/users/${row.id}/invite/`), t("team.invited", { email: row.email })),
          },
        ]
      : [
          {
            text: t("team.end_sessions"),
            icon: /** @type {const} */ ("leave"),
            act: () => setShown({ what: "out", user: row }),
          },
        ]),
    row.is_active
      ? {
          text: t("team.switch_off"),
          icon: /** @type {const} */ ("close"),
          act: () =>
            now(
              () => api.patch(`/api/users/${row.id}/`, { is_active: false }),
              t("team.switched_off", { name: nameOf(row) }),
            ),
        }
      : {
          text: t("team.switch_on"),
          icon: /** @type {const} */ ("check"),
          act: () =>
            now(
              () => api.patch(`/api/users/${row.id}/`, { is_active: true }),
              t("team.switched_on", { name: nameOf(row) }),
            ),
        },
    {
      text: t("team.remove"),
      icon: /** @type {const} */ ("remove"),
      danger: true,
      act: () => setShown({ what: "remove", user: row }),
    },
  ];

  const columns = [
    {
      key: "who",
      title: t("team.person"),
      cell: (/** @type {User} */ row) => html`
        <span class="row loose">
          <${Avatar} name=${nameOf(row)} url=${row.avatar} />
          <span class="stack team-who">
            <span class="strong">
              ${nameOf(row)}${" "}
              ${row.id === me.value?.id && html`<span class="quiet">${t("team.you")}</span>`}
            </span>
            <span class="small quiet">${row.email}</span>
          </span>
        </span>
      `,
    },
    {
      key: "role",
      title: t("team.role"),
      cell: (/** @type {User} */ row) => html`
        ${t(`team.role_${row.role}`)}${
          row.floor_name &&
          html`
            <br />
            <span class="small quiet">${row.floor_name}</span>
          `
        }
      `,
    },
    {
      key: "status",
      title: t("team.status"),
      cell: (/** @type {User} */ row) => html`
        <${Badge} kind=${STATES[row.status]}>${t(`team.status_${row.status}`)}<//>
      `,
    },
    {
      key: "seen",
      title: t("team.last_login"),
      cell: (/** @type {User} */ row) =>
        row.last_login
          ? relative(row.last_login)
          : html`
              <span class="quiet">${t("team.never")}</span>
            `,
    },
    {
      key: "menu",
      title: "",
      end: true,
      cell: (/** @type {User} */ row) =>
        row.id === me.value?.id
          ? html`
              <${Button} size="small" href="/profile">${t("frame.profile")}<//>
            `
          : !locked.value &&
            html`
              <${Menu} label=${t("team.menu", { name: nameOf(row) })} items=${items(row)} />
            `,
    },
  ];

  return html`
    <${PageHeader} title=${t("frame.team")} lead=${t("team.lead")}>
      ${
        !locked.value &&
        html`
          <${Button} kind="primary" icon="add" onClick=${() => setShown({ what: "edit" })}>${t("team.invite")}<//>
        `
      }
    <//>
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
        <${Skeleton} />
      `
    }
    ${
      rows &&
      html`
        <${Card} flush><${Table} label=${t("frame.team")} rows=${rows} columns=${columns} /><//>
        <${Pager} more=${more} />
        ${
          rows.length === 1 &&
          !locked.value &&
          html`
            <${EmptyState}
              icon="team"
              title=${t("team.empty")}
              action=${html`
                <${Button} kind="primary" icon="add" onClick=${() => setShown({ what: "edit" })}>${t("team.invite")}<//>
              `}
            >
              ${t("team.empty_text")}
            <//>
          `
        }
      `
    }
    ${
      shown?.what === "edit" &&
      html`
        <${PersonDialog} user=${user} onClose=${close} />
      `
    }
    ${
      shown?.what === "out" &&
      user &&
      html`
        <${Ask}
          title=${t("team.end_sessions")}
          text=${t("team.end_sessions_text", { name: nameOf(user) })}
          button=${t("team.end_sessions")}
          kind="primary"
          onClose=${close}
          act=${async () => {
            await api.post(`/api/users/${user.id}/end-sessions/`);
            toast(t("team.ended", { name: nameOf(user) }));
          }}
        />
      `
    }
    ${
      shown?.what === "remove" &&
      user &&
      html`
        <${Ask}
          title=${t("team.remove_title", { name: nameOf(user) })}
          text=${t("team.remove_text")}
          button=${t("team.remove")}
          onClose=${close}
          act=${async () => {
            await api.delete(`/api/users/${user.id}/`);
            invalidate("/api/users/");
          }}
        />
      `
    }
  `;
}

/** What a person is called; who was invited may have said no name yet. @param {User} user */
const nameOf = (user) => user.name || user.email;
