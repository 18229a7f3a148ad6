/**
 * Who is signed in. The pair of tokens is kept by the browser: for the tab (`sessionStorage`), or until one signs out
 * (`localStorage`) if asked to. The refresh token works once and opens the next pair, so only an access token that the
 * server refuses is renewed: a page that was left or loaded anew before the answer came would have lost its session.
 * docs/web.md says why.
 */

import { computed, signal } from "../vendor/signals.js";
import { ApiError, Unreachable, api, call, caller } from "./api.js";
import { keep, kept } from "./stored.js";

/** @typedef {import("../.types/api.js").components["schemas"]["Me"]} Me */

/** Where a page stands: asking who one is, nobody, somebody, or a server that does not answer. */
export const phase = signal(/** @type {"starting" | "out" | "in" | "unreachable"} */ ("starting"));

/** The person, and their business; null for nobody. */
export const me = signal(/** @type {Me | null} */ (null));

/** Whether the role may do this, in the words of `capabilities`. @param {string} what */
export const may = (what) => me.value?.capabilities.includes(what) ?? false;

/** Whether the business is locked: reading works, nothing can be changed or played. */
export const locked = computed(() => me.value?.client?.lock ?? null);

/** The zone in which the business tells the time. */
export const zone = computed(() => me.value?.client?.timezone ?? undefined);

const REFRESH = "refresh";
const ACCESS = "access";
const LOAN = "loan";
/** How long another tab may take to store the pair that it was just given. */
const OTHER_TAB_MS = 2000;

/** @type {string | null} */
let access = null;
/** @type {Promise<string | null> | null} */
let renewing = null;

/** The pair, and where it lies. */
function held() {
  for (const where of [globalThis.sessionStorage, globalThis.localStorage]) {
    const refresh = kept(REFRESH, where);
    if (refresh) return { refresh, access: kept(ACCESS, where), where };
  }
  return null;
}

/** @param {{ access: string, refresh: string }} pair @param {Storage} where */
function take(pair, where) {
  keep(ACCESS, pair.access, where); // first: who sees the one without the other sees what still works
  keep(REFRESH, pair.refresh, where);
  access = pair.access;
  return access;
}

/** Forgets the pair, wherever it lies. */
function drop() {
  access = null;
  for (const where of [globalThis.sessionStorage, globalThis.localStorage]) {
    for (const name of [REFRESH, ACCESS]) keep(name, null, where);
  }
}

function forget() {
  drop();
  keep(LOAN, null, globalThis.sessionStorage);
  me.value = null;
  phase.value = "out";
}

/**
 * A fresh access token, or null when the session has ended. Tabs share one refresh token, which works once: one tab
 * after the other uses it, by the browser's locks where it has them (by HTTPS), else by looking whether another was
 * quicker.
 * @returns {Promise<string | null>}
 */
function renew() {
  renewing ??= one(exchanged).finally(() => {
    renewing = null;
  });
  return renewing;
}

/** @param {() => Promise<string | null>} work @returns {Promise<string | null>} */
async function one(work) {
  return globalThis.navigator?.locks ? navigator.locks.request("sync2gear.refresh", work) : work();
}

/** @returns {Promise<string | null>} */
async function exchanged() {
  const mine = held();
  if (!mine) return null;
  try {
    const pair = await api.post("/api/auth/refresh/", { refresh: mine.refresh }, { anonymous: true });
    return take(pair, mine.where);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "token_invalid") throw error;
    if (await quicker(mine.refresh)) return exchanged();
    forget();
    return null;
  }
}

/** Whether another tab has used this refresh token and stored the next. @param {string} used */
async function quicker(used) {
  const until = Date.now() + OTHER_TAB_MS;
  while (Date.now() < until) {
    const now = held();
    if (now && now.refresh !== used) return true;
    if (!now) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/**
 * @typedef {{ access: string, until: number, name: string }} Loan an identity that staff borrow, until milliseconds
 *   since 1970
 */

/** @returns {Loan | null} */
function borrowed() {
  const text = kept(LOAN, globalThis.sessionStorage);
  const loan = text ? JSON.parse(text) : null;
  return loan && loan.until > Date.now() ? loan : null;
}

caller.token = async () => borrowed()?.access ?? access ?? held()?.access ?? (held() ? await renew() : null);
caller.renewed = async (refused) => {
  if (borrowed()?.access === refused) {
    await giveBack();
    return null;
  }
  if (access && access !== refused) return access;
  access = null;
  return renew();
};

/** Asks who one is; called once, by a page's main module. */
export async function start() {
  globalThis.addEventListener?.("storage", noticed);
  await look();
}

/** Asks again: after a change of the business or the own profile. Never raises: `phase` says how it went. */
export async function look() {
  if (!held() && !borrowed()) {
    forget();
    return;
  }
  try {
    me.value = await api.get("/api/auth/me/");
    phase.value = "in";
  } catch (error) {
    if (error instanceof Unreachable || (error instanceof ApiError && error.status >= 500)) {
      if (phase.value !== "in") phase.value = "unreachable";
    } else forget();
  }
}

/** Another tab signed out, or in. @param {StorageEvent} event */
function noticed(event) {
  if (event.key !== `sync2gear.${REFRESH}`) return;
  if (event.newValue === null && !held()) forget();
  else if (phase.value === "out") void look();
}

/**
 * Begins a session that the API has just opened.
 * @param {{ access: string, refresh: string, user: Me }} session
 * @param {{ stay?: boolean }} [how] `stay`: until one signs out, rather than until the tab closes
 */
export function adopt(session, { stay = true } = {}) {
  drop();
  keep(LOAN, null, globalThis.sessionStorage);
  take(session, stay ? globalThis.localStorage : globalThis.sessionStorage);
  me.value = session.user;
  phase.value = "in";
}

/** @param {{ email: string, password: string, stay: boolean }} given raises as `call` does */
export async function signIn({ email, password, stay }) {
  adopt(await api.post("/api/auth/login/", { email, password }, { anonymous: true }), { stay });
}

/**
 * The next pair, after a change of one's own password has ended the session.
 * @param {{ access: string, refresh: string }} pair
 */
export function goOn(pair) {
  take(pair, held()?.where ?? globalThis.localStorage);
}

/** Signs out here and in the other tabs. A server that cannot be told hears nothing more from here either. */
export async function signOut() {
  const mine = held();
  keep(LOAN, null, globalThis.sessionStorage);
  try {
    if (mine) await call("POST", "/api/auth/logout/", { refresh: mine.refresh }, { clears: true });
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof Unreachable)) throw error;
  } finally {
    forget();
  }
}

/**
 * Acts as an admin of a business, for staff: for a quarter of an hour, in this tab alone.
 * @param {number} client @param {string} reason raises as `call` does
 */
export async function borrow(client, reason) {
  const loan = await api.post(`/api/clients/${client}/impersonate/`, { reason });
  const kept = { access: loan.access, until: Date.parse(loan.expires_at), name: loan.user.name };
  keep(LOAN, JSON.stringify(kept), globalThis.sessionStorage);
  await look();
}

/** Is oneself again. */
export async function giveBack() {
  keep(LOAN, null, globalThis.sessionStorage);
  me.value = null;
  await look();
}
