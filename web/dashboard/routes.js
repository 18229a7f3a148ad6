/**
 * What is shown where. Each page is a module of its own, loaded when it is first opened, whose default export draws it
 * and is given the names of the path (`{ id: "3" }`). The first part of each path stands in backend/core/web_pages.py
 * too, which answers all of them with this one page; a test compares.
 */

import { matched } from "../common/router.js";

/** @typedef {import("../common/ui/icon.js").IconName} IconName */

/**
 * @typedef {object} Route
 * @property {string} path
 * @property {() => Promise<{ default: (props: any) => any }>} page
 * @property {string} [title] key of its name, for the browser's tab
 * @property {IconName} [icon] a place of the navigation has one
 * @property {string} [needs] a capability, without which it is not shown
 * @property {"out"} [for] shown to who is not signed in; everything else to who is
 * @property {"shop" | "staff"} [of] a business's own, or sync2gear's staff's; neither: both have it
 */

/** @type {Route[]} */
export const ROUTES = [
  { path: "/sign-in", page: () => import("./frame/signin.js"), title: "frame.sign_in", for: "out" },
  { path: "/register", page: () => import("./frame/register.js"), title: "frame.register", for: "out" },
  { path: "/forgotten-password", page: () => import("./frame/forgotten.js"), title: "frame.forgotten", for: "out" },
  { path: "/password-reset", page: () => import("./frame/choose.js"), title: "frame.new_password", for: "out" },
  { path: "/invitation", page: () => import("./frame/choose.js"), title: "frame.invitation", for: "out" },

  { path: "/", page: () => import("./now/page.js"), title: "frame.now", icon: "now", of: "shop" },
  {
    path: "/timeline",
    page: () => import("./timeline/page.js"),
    title: "frame.timeline",
    icon: "timeline",
    of: "shop",
  },
  {
    path: "/announcements",
    page: () => import("./announcements/page.js"),
    title: "frame.announcements",
    icon: "announcement",
    of: "shop",
  },
  {
    path: "/announcements/:id",
    page: () => import("./announcements/page.js"),
    title: "frame.announcements",
    of: "shop",
  },
  { path: "/music", page: () => import("./music/page.js"), title: "frame.music", icon: "music", of: "shop" },
  {
    path: "/playlists",
    page: () => import("./playlists/page.js"),
    title: "frame.playlists",
    icon: "playlist",
    of: "shop",
  },
  { path: "/playlists/:id", page: () => import("./playlists/page.js"), title: "frame.playlists", of: "shop" },
  {
    path: "/schedules",
    page: () => import("./schedules/page.js"),
    title: "frame.schedules",
    icon: "schedule",
    of: "shop",
  },
  { path: "/schedules/:id", page: () => import("./schedules/page.js"), title: "frame.schedules", of: "shop" },
  { path: "/history", page: () => import("./history/page.js"), title: "frame.history", icon: "history", of: "shop" },
  { path: "/devices", page: () => import("./devices/page.js"), title: "frame.devices", icon: "speaker", of: "shop" },
  { path: "/devices/:id", page: () => import("./devices/page.js"), title: "frame.devices", of: "shop" },
  { path: "/floors/:id", page: () => import("./now/page.js"), title: "frame.now", of: "shop" },
  {
    path: "/team",
    page: () => import("./team/page.js"),
    title: "frame.team",
    icon: "team",
    needs: "users.manage",
    of: "shop",
  },
  {
    path: "/settings",
    page: () => import("./settings/page.js"),
    title: "frame.settings",
    icon: "settings",
    needs: "floors.manage",
    of: "shop",
  },

  {
    path: "/businesses",
    page: () => import("./businesses/page.js"),
    title: "frame.clients",
    icon: "staff",
    needs: "clients.manage",
    of: "staff",
  },
  {
    path: "/businesses/:id",
    page: () => import("./businesses/one.js"),
    title: "frame.clients",
    needs: "clients.manage",
    of: "staff",
  },
  {
    path: "/providers",
    page: () => import("./providers/page.js"),
    title: "frame.providers",
    icon: "announcement",
    needs: "ai_providers.manage",
    of: "staff",
  },
  { path: "/audit", page: () => import("./audit/page.js"), title: "frame.audit", icon: "key", needs: "audit.read" },

  { path: "/profile", page: () => import("./profile/page.js"), title: "frame.profile" },
];

/** The route of a path, with what its pattern found; null for a path that leads nowhere. @param {string} path */
export function routed(path) {
  for (const route of ROUTES) {
    const params = matched(route.path, path);
    if (params) return { route, params };
  }
  return null;
}
