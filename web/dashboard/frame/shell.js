/** The frame around every page of who is signed in: navigation, who one is, and what must not be missed. */

import { LANGUAGES, choose, day, language, t, time } from "../../common/i18n.js";
import { connection } from "../../common/live.js";
import { giveBack, locked, may, me, signOut, zone } from "../../common/session.js";
import { theme } from "../../common/theme.js";
import { Avatar, Button, Icon, Menu } from "../../common/ui.js";
import { leave } from "../../common/unsaved.js";
import { html, useEffect, useRef, useState } from "../../common/view.js";
import { ROUTES } from "../routes.js";
import { Mark } from "./mark.js";

/** @typedef {import("../routes.js").Route} Route */
/** @typedef {import("../../common/view.js").Children} Children */
/** @typedef {import("../../common/ui/overlay.js").MenuItem} MenuItem */

/** How many places a phone's bar has; the others are under "More". */
const IN_BAR = 4;
/** Which those are: the first of these that one has. */
const BAR = ["/", "/announcements", "/schedules", "/devices", "/businesses", "/providers", "/audit"];
/** How long a lost connection may take to come back before it is told. */
const PATIENCE_MS = 4000;

/** The places that this person has. @returns {Route[]} */
function places() {
  const of = me.value?.client ? "shop" : "staff";
  return ROUTES.filter((route) => route.icon && (!route.of || route.of === of) && (!route.needs || may(route.needs)));
}

/** Whether one is at this place, or at something of it. @param {string} path @param {Route} route */
function isHere(path, route) {
  if (route.path === "/") return path === "/" || path.startsWith("/floors/");
  return path === route.path || path.startsWith(`${route.path}/`);
}

/**
 * Navigation beside the page, on a phone below it.
 * @param {{ path: string, children?: Children }} props
 */
export function Shell({ path, children }) {
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const first = useRef(true);
  useEffect(() => {
    // Who hears the page is taken to its heading; not when it is first loaded, which browsers do themselves.
    const heading = /** @type {HTMLElement | null | undefined} */ (main.current?.querySelector("h1") ?? main.current);
    if (!first.current) heading?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
  const all = places();
  const bar = all.filter((route) => BAR.includes(route.path)).slice(0, IN_BAR);
  const rest = all.filter((route) => !bar.includes(route));
  const drawn = (/** @type {Route} */ route) =>
    html`<${Place} key=${route.path} route=${route} here=${isHere(path, route)} />`;
  const skip = (/** @type {Event} */ event) => {
    event.preventDefault();
    main.current?.focus();
  };
  return html`<div class="shell">
    <a class="skip" href="#main" onClick=${skip}>${t("frame.skip")}</a>
    <${Banners} />
    <header class="side">
      <a class="brand" href="/"><${Mark} />sync2gear</a>
      <nav aria-label=${t("frame.navigation")}>${all.map(drawn)}</nav>
      <div class="foot"><${Trial} /><${Person} place="up left" /></div>
    </header>
    <header class="top">
      <a class="brand" href="/">
        <${Mark} /><span class="cut">${me.value?.client?.business_name ?? "sync2gear"}</span>
      </a>
      <${Person} />
    </header>
    <main id="main" class="page" ref=${main} tabindex="-1">${children}</main>
    <nav class="bar" aria-label=${t("frame.navigation")}>
      ${bar.map(drawn)} ${rest.length > 0 && html`<${More} rest=${rest} path=${path} />`}
    </nav>
  </div>`;
}

/** @param {{ route: Route, here: boolean }} props */
function Place({ route, here }) {
  return html`<a class="place" href=${route.path} aria-current=${here ? "page" : undefined}>
    <${Icon} name=${route.icon} /><span>${t(route.title ?? "")}</span>
  </a>`;
}

/** The places that a phone's bar has no room for. @param {{ rest: Route[], path: string }} props */
function More({ rest, path }) {
  const here = rest.some((route) => isHere(path, route));
  const items = rest.map((route) => ({ text: t(route.title ?? ""), icon: route.icon, href: route.path }));
  const button = (/** @type {Record<string, any>} */ ties) =>
    html`<button type="button" class=${here ? "place here" : "place"} ...${ties}>
      <${Icon} name="menu" /><span>${t("frame.more")}</span>
    </button>`;
  return html`<${Menu} label=${t("frame.more")} place="up" items=${items} button=${button} />`;
}

const THEMES = /** @type {const} */ ([
  ["system", "screen"],
  ["light", "sun"],
  ["dark", "moon"],
]);

/**
 * What is one's own: profile, theme, language, leaving.
 * @param {string} email
 * @returns {(MenuItem | { title: string })[]}
 */
function own(email) {
  const languages = /** @type {[import("../../common/i18n.js").Language, string][]} */ (Object.entries(LANGUAGES));
  return [
    { text: t("frame.profile"), icon: "person", href: "/profile" },
    { title: t("frame.theme") },
    ...THEMES.map(([key, icon]) => ({
      text: t(`frame.theme_${key}`),
      icon,
      checked: theme.value === key,
      act: () => void (theme.value = key),
    })),
    { title: t("frame.language") },
    ...languages.map(([key, name]) => ({ text: name, checked: language.value === key, act: () => choose(key) })),
    { title: email },
    { text: t("frame.sign_out"), icon: "leave", act: () => leave(null, () => void signOut()) },
  ];
}

/** Who one is. @param {{ place?: string }} props where the menu opens */
function Person({ place = "" }) {
  const person = me.value;
  if (!person) return null;
  const name = person.name || person.email;
  const button = (/** @type {Record<string, any>} */ ties) =>
    html`<button type="button" class="person" ...${ties}>
      <${Avatar} name=${name} url=${person.avatar} />
      <span class="who">
        <span class="cut strong">${name}</span>
        <span class="cut small quiet">${person.client?.business_name ?? t("frame.staff_of")}</span>
        <span class="unseen">${t("frame.person_menu")}</span>
      </span>
    </button>`;
  return html`<${Menu} label=${name} items=${own(person.email)} place=${place} button=${button} />`;
}

/** Until when a trial runs. */
function Trial() {
  const client = me.value?.client;
  if (client?.status !== "trial" || !client.trial_ends_at || client.lock) return null;
  const until = day(client.trial_ends_at, { zone: zone.value });
  return html`<p class="small quiet trial">${t("frame.trial_until", { day: until })}</p>`;
}

/** What must not be missed: a borrowed identity, a locked business, a lost connection. */
function Banners() {
  const lock = locked.value;
  const lost = useLost();
  return html`<div class="banners">
    <${Loan} />
    ${
      lock &&
      html`<div class="banner lock" role="alert"><${Icon} name="warning" />${t(`frame.lock_${lock.code}`)}</div>`
    }
    ${lost && html`<div class="banner lost" role="status"><${Icon} name="offline" />${t("frame.lost")}</div>`}
  </div>`;
}

/** That one acts in somebody else's name. */
function Loan() {
  const person = me.value;
  const loan = person?.impersonation;
  if (!loan) return null;
  const words = t("frame.loan", {
    by: loan.by.name || loan.by.email,
    name: person.name || person.email,
    business: person.client?.business_name ?? "",
    until: time(loan.until),
  });
  return html`<div class="banner loan" role="alert">
    <${Icon} name="staff" /><span class="grow">${words}</span>
    <${Button} size="small" onClick=${() => void giveBack()}>${t("frame.loan_end")}<//>
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
