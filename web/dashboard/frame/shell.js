/** The frame around every page of who is signed in: navigation, who one is, and what must not be missed. */

import { LANGUAGES, choose, day, language, t, time } from "../../common/i18n.js";
import { connection } from "../../common/live.js";
import { giveBack, locked, may, me, signOut, zone } from "../../common/session.js";
import { theme } from "../../common/theme.js";
import { Avatar, Button, Icon, Menu } from "../../common/ui.js";
import { html, useEffect, useRef, useState } from "../../common/view.js";
import { ROUTES } from "../routes.js";

/** @typedef {import("../routes.js").Route} Route */
/** @typedef {import("../../common/view.js").Children} Children */

/** How many places a phone's bar has; the others are under "More". */
const IN_BAR = 4;
/** Which those are. */
const BAR = ["/", "/announcements", "/schedules", "/devices", "/businesses", "/providers", "/audit"];
/** How long a lost connection may take to come back before it is told. */
const PATIENCE_MS = 4000;

/** The places that this person has. @returns {Route[]} */
function places() {
  const of = me.value?.client ? "shop" : "staff";
  return ROUTES.filter((route) => route.icon && (!route.of || route.of === of) && (!route.needs || may(route.needs)));
}

/** @param {string} path @param {Route} route */
const isHere = (path, route) =>
  route.path === "/"
    ? path === "/" || path.startsWith("/floors/")
    : path === route.path || path.startsWith(`${route.path}/`);

/**
 * Navigation beside the page, on a phone below it.
 * @param {{ path: string, children?: Children }} props
 */
export function Shell({ path, children }) {
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const first = useRef(true);
  useEffect(() => {
    // Who hears the page is taken to its heading; not when it is first loaded, which browsers do themselves.
    if (first.current) first.current = false;
    else
      /** @type {HTMLElement | null | undefined} */ (main.current?.querySelector("h1") ?? main.current)?.focus({
        preventScroll: true,
      });
  }, [path]);
  const all = places();
  const bar = all.filter((route) => BAR.includes(route.path)).slice(0, IN_BAR);
  const rest = all.filter((route) => !bar.includes(route));
  return html`<div class="shell">
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => {
      event.preventDefault();
      main.current?.focus();
    }}>${t("frame.skip")}</a>
    <${Banners} />
    <header class="side">
      <a class="brand" href="/"><${Mark} />sync2gear</a>
      <nav aria-label=${t("frame.navigation")}>
        ${all.map((route) => html`<${Place} key=${route.path} route=${route} here=${isHere(path, route)} />`)}
      </nav>
      <div class="foot"><${Trial} /><${Person} place="up left" /></div>
    </header>
    <header class="top"><a class="brand" href="/"><${Mark} /><span class="cut">${me.value?.client?.business_name ?? "sync2gear"}</span></a><${Person} /></header>
    <main id="main" class="page" ref=${main} tabindex="-1">${children}</main>
    <nav class="bar" aria-label=${t("frame.navigation")}>
      ${bar.map((route) => html`<${Place} key=${route.path} route=${route} here=${isHere(path, route)} />`)}
      ${
        rest.length > 0 &&
        html`<${Menu} label=${t("frame.more")} place="up" items=${rest.map((route) => ({ text: t(route.title ?? ""), icon: route.icon, href: route.path }))}
        button=${(/** @type {Record<string, any>} */ ties) => html`<button type="button" class=${`place${rest.some((route) => isHere(path, route)) ? " here" : ""}`} ...${ties}><${Icon} name="menu" /><span>${t("frame.more")}</span></button>`} />`
      }
    </nav>
  </div>`;
}

/** @param {{ route: Route, here: boolean }} props */
function Place({ route, here }) {
  return html`<a class="place" href=${route.path} aria-current=${here ? "page" : undefined}><${Icon} name=${/** @type {any} */ (route.icon)} /><span>${t(route.title ?? "")}</span></a>`;
}

/** The mark of sync2gear. */
export function Mark() {
  return html`<svg class="mark" viewBox="0 0 64 64" aria-hidden="true"><rect width="64" height="64" rx="15" /><path d="M20 26v12M32 17v30M44 26v12" /></svg>`;
}

/** Who one is, and what is one's own: profile, theme, language, leaving. @param {{ place?: string }} props */
function Person({ place = "" }) {
  const person = me.value;
  if (!person) return null;
  const name = person.name || person.email;
  const themes = /** @type {["system" | "light" | "dark", import("../../common/ui/icon.js").IconName][]} */ ([
    ["system", "screen"],
    ["light", "sun"],
    ["dark", "moon"],
  ]);
  const items = [
    { text: t("frame.profile"), icon: /** @type {const} */ ("person"), href: "/profile" },
    { title: t("frame.theme") },
    ...themes.map(([key, icon]) => ({
      text: t(`frame.theme_${key}`),
      icon,
      checked: theme.value === key,
      act: () => {
        theme.value = key;
      },
    })),
    { title: t("frame.language") },
    ...Object.entries(LANGUAGES).map(([key, own]) => ({
      text: own,
      checked: language.value === key,
      act: () => choose(/** @type {any} */ (key)),
    })),
    { title: person.email },
    { text: t("frame.sign_out"), icon: /** @type {const} */ ("leave"), act: () => void signOut() },
  ];
  return html`<${Menu} label=${t("frame.person_menu", { name })} items=${items} place=${place} button=${(
    /** @type {Record<string, any>} */ ties,
  ) => html`
    <button type="button" class="person" aria-label=${t("frame.person_menu", { name })} ...${ties}><${Avatar} name=${name} url=${person.avatar} />
      <span class="who"><span class="cut strong">${name}</span><span class="cut small quiet">${person.client?.business_name ?? t("frame.staff_of")}</span></span></button>`} />`;
}

/** Until when a trial runs. */
function Trial() {
  const client = me.value?.client;
  if (client?.status !== "trial" || !client.trial_ends_at || client.lock) return null;
  return html`<p class="small quiet trial">${t("frame.trial_until", { day: day(client.trial_ends_at, { zone: zone.value }) })}</p>`;
}

/** What must not be missed: a borrowed identity, a locked business, a lost connection. */
function Banners() {
  const loan = me.value?.impersonation;
  const lock = locked.value;
  const lost = useLost();
  return html`<div class="banners">
    ${
      loan &&
      html`<div class="banner loan" role="alert"><${Icon} name="staff" />
      <span class="grow">${t("frame.loan", { by: loan.by.name || loan.by.email, name: me.value?.name || me.value?.email || "", business: me.value?.client?.business_name ?? "", until: time(loan.until) })}</span>
      <${Button} size="small" onClick=${() => void giveBack()}>${t("frame.loan_end")}</${Button}></div>`
    }
    ${lock && html`<div class="banner lock" role="alert"><${Icon} name="warning" /><span class="grow">${t(`frame.lock_${lock.code}`)}</span></div>`}
    ${lost && html`<div class="banner lost" role="status"><${Icon} name="offline" /><span class="grow">${t("frame.lost")}</span></div>`}
  </div>`;
}

/** Whether the connection has been lost for a while. */
function useLost() {
  const [lost, setLost] = useState(false);
  const state = connection.value;
  useEffect(() => {
    if (state !== "lost") return setLost(false);
    const timer = setTimeout(() => setLost(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [state]);
  return lost;
}
