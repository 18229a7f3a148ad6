/** The page of the speaker: finds out who it is, then plays. Shows one thing at a time. */

import { addTexts, followLanguage, t } from "../common/i18n.js";
import { followTheme } from "../common/theme.js";
import { html, render, signal } from "../common/view.js";
import { stayAwake } from "./awake.js";
import { MediaCache } from "./cache.js";
import { Database } from "./database.js";
import de from "./i18n/de.js";
import en from "./i18n/en.js";
import { Journal } from "./journal.js";
import { Kept } from "./kept.js";
import { glance } from "./page/glance.js";
import { Broken, Elsewhere, FirstTouch, Refused, Unfit } from "./page/notices.js";
import { Pairing } from "./page/pairing.js";
import { Playing } from "./page/playing.js";
import { Settings } from "./page/settings.js";
import { PairingError, SOFTWARE, pair } from "./pairing.js";

/** @typedef {import("./kept.js").Identity} Identity */
/** @typedef {import("./page/glance.js").Glance} Glance */
/**
 * What is shown.
 * @typedef {{page: "opening"} | {page: "unfit", why: "insecure" | "old"} | {page: "elsewhere"}
 *   | {page: "pairing", shown: import("./page/pairing.js").Shown | null, problem: string}
 *   | {page: "playing", speaker: import("./speaker.js").Speaker, identity: Identity}
 *   | {page: "broken", detail: string, seconds: number}} Showing
 */

const DATABASE = "sync2gear-speaker";
const LOCK = "sync2gear-speaker";
const DRAW_MS = 250;
const BROKEN_S = 10;
const PAIR_AGAIN_S = 15;

const showing = signal(/** @type {Showing} */ ({ page: "opening" }));
const seen = signal(/** @type {Glance | null} */ (null));
const place = signal(/** @type {import("./speaker.js").Place} */ ({ name: "", business: "", floor: "" }));
const settingsOpen = signal(false);
let drawnAt = 0;

function Page() {
  const now = showing.value;
  document.title = t("speaker.title");
  if (now.page === "unfit") return html`<${Unfit} why=${now.why} />`;
  if (now.page === "elsewhere") return html`<${Elsewhere} onTake=${() => void begin({ steal: true })} />`;
  if (now.page === "pairing") return html`<${Pairing} shown=${now.shown} problem=${now.problem} />`;
  if (now.page === "broken") return html`<${Broken} detail=${now.detail} seconds=${now.seconds} />`;
  const at = seen.value;
  if (now.page === "opening" || at === null) return null;
  const { speaker, identity } = now;
  if (at.connection.state === "refused") return html`<${Refused} onPair=${() => void pairAgain()} />`;
  if (at.blocked) return html`<${FirstTouch} onTouch=${() => attempt(speaker.output.allow())} />`;
  const fullscreen = document.fullscreenEnabled ? () => attempt(toggleFullscreen()) : null;
  const facts = [
    [t("speaker.settings.id"), identity.device_id],
    [t("speaker.settings.latency"), `${speaker.output.latencyMs} ms`],
  ];
  return html`<${Playing}
      glance=${at}
      name=${place.value.name || identity.name}
      place=${place.value}
      fullscreen=${fullscreen}
      more=${() => (settingsOpen.value = true)}
    />
    ${
      settingsOpen.value &&
      html`<${Settings}
        facts=${facts}
        onTest=${() => speaker.identify()}
        onForget=${() => void forget()}
        onClose=${() => (settingsOpen.value = false)}
      />`
    }`;
}

/** One browser is one speaker: whoever holds the lock plays. @param {{steal?: boolean}} [how] */
function begin({ steal = false } = {}) {
  const options = steal ? { steal } : { ifAvailable: true };
  return navigator.locks
    .request(LOCK, options, async (lock) => {
      if (lock === null) showing.value = { page: "elsewhere" };
      else await live();
    })
    .catch((error) => {
      if (!(error instanceof DOMException && error.name === "AbortError")) return broken(error);
      return goodbye("taken over by another tab").then(() => void (showing.value = { page: "elsewhere" }));
    });
}

/** Lives until the page is closed. */
async function live() {
  const database = await Database.open(DATABASE);
  const kept = new Kept(database);
  const identity = (await kept.load("identity")) ?? (await introduce(kept));
  const { Speaker } = await import("./speaker.js"); // the larger half: a code is shown without it
  const parts = { kept, journal: new Journal(database), cache: await MediaCache.open(), identity };
  const speaker = await Speaker.wake(parts, {
    changed: () => draw(speaker),
    broken,
    restart: () => location.reload(),
    placed: (where) => (place.value = where),
  });
  showing.value = { page: "playing", speaker, identity };
  await speaker.run();
  await new Promise(() => {}); // holds the lock
}

/** Shows a code until somebody has entered it. @param {Kept} kept @returns {Promise<Identity>} */
async function introduce(kept) {
  const { hardware_id } = (await kept.load("pairing")) ?? { hardware_id: `web-${crypto.randomUUID()}` };
  await kept.save("pairing", { hardware_id });
  const name = t("speaker.default_name", { system: system() });
  for (;;) {
    showing.value = { page: "pairing", shown: null, problem: "" };
    try {
      const identity = await pair({ post, sleep, show }, { hardware_id, name, software: SOFTWARE });
      await kept.save("identity", identity);
      return identity;
    } catch (error) {
      if (!(error instanceof PairingError)) throw error;
      showing.value = { page: "pairing", shown: null, problem: t("speaker.pair.failed", { why: error.message }) };
      await sleep(PAIR_AGAIN_S);
    }
  }
}

/** @param {import("./pairing.js").Invitation} invitation */
function show({ user_code, expires_in }) {
  const until = Date.now() + expires_in * 1000;
  showing.value = { page: "pairing", shown: { code: user_code, until }, problem: "" };
}

/** @type {import("./pairing.js").Post} */
async function post(path, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** @param {number} seconds @returns {Promise<void>} */
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** What people call this machine. */
const system = () => /Android|iPad|iPhone|Macintosh|Windows|CrOS|Linux/.exec(navigator.userAgent)?.[0] ?? "?";

/** @param {import("./speaker.js").Speaker} speaker */
function draw(speaker) {
  const now = performance.now();
  if (now - drawnAt < DRAW_MS || document.visibilityState === "hidden") return;
  drawnAt = now;
  seen.value = glance(speaker);
}

/** A person in front of it disconnects this speaker: everything is forgotten, and a new one shows its code. */
async function forget() {
  await goodbye("disconnected");
  await (await Database.open(DATABASE)).clear();
  location.reload();
}

/** The server has withdrawn its key: a new code for the same speaker, which keeps what it still has to report. */
async function pairAgain() {
  await goodbye("refused");
  const kept = new Kept(await Database.open(DATABASE));
  for (const name of /** @type {const} */ (["identity", "plan", "state"])) await kept.forget(name);
  location.reload();
}

/** @param {string} reason */
async function goodbye(reason) {
  const now = showing.value;
  if (now.page === "playing") await now.speaker.stop(reason);
}

/** An error of the program: a speaker must not stay silent, so it begins again. @param {unknown} error */
function broken(error) {
  console.error(error);
  if (showing.value.page === "broken") return;
  showing.value = { page: "broken", detail: String(error), seconds: BROKEN_S };
  setInterval(() => {
    const now = showing.value;
    if (now.page !== "broken") return;
    if (now.seconds <= 1) location.reload();
    else showing.value = { ...now, seconds: now.seconds - 1 };
  }, 1000);
}

/** What the browser may refuse without the speaker being the worse for it. @param {Promise<unknown>} trial */
function attempt(trial) {
  trial.catch((error) => console.warn("the browser does not:", error));
}

async function toggleFullscreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen();
}

/** What the browser lacks, or null. */
function unfit() {
  if (!isSecureContext) return "insecure";
  const there = [globalThis.AudioContext, globalThis.caches, globalThis.indexedDB, navigator.locks, globalThis.Worker];
  return there.every(Boolean) ? null : "old";
}

addTexts({ en, de });
followLanguage();
followTheme();
render(html`<${Page} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
addEventListener("unhandledrejection", ({ reason }) => broken(reason));
addEventListener("pagehide", () => void goodbye("closed"));
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
const why = unfit();
if (why === null) {
  stayAwake();
  if (navigator.serviceWorker) attempt(navigator.serviceWorker.register("/speaker/sw.js"));
  void begin();
} else showing.value = { page: "unfit", why };
