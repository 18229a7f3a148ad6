/** The page of a speaker that plays: what sounds, what comes, the shop's clock, and how the speaker is. */

import { has, length, number, t, time } from "../../common/i18n.js";
import { IconButton } from "../../common/ui/button.js";
import { Icon } from "../../common/ui/icon.js";
import { classes, html } from "../../common/view.js";
import { Resting, useRest } from "./resting.js";

/** @typedef {import("./glance.js").Glance} Glance */
/** @typedef {import("../../common/ui/icon.js").IconName} IconName */
/** @typedef {"good" | "warn" | "bad"} Kind */

const BARS = [0.55, 0.85, 1, 0.7, 0.45];

/**
 * @param {{glance: Glance, name: string, place: import("../speaker.js").Place, fullscreen: (() => void) | null, more: () => void}} props
 */
export function Playing({ glance, name, place, fullscreen, more }) {
  if (useRest()) {
    const wrong = health(glance).flatMap(([, , kind, words]) => (kind === "good" ? [] : words));
    return html`<${Resting} glance=${glance} title=${titleOf(glance.now)} wrong=${wrong} />`;
  }
  return html`<div class="stage">
    <header class="head">
      <div class="grow">
        <p class="brand">${place.business || "sync2gear"}</p>
        <p class="quiet">${[place.floor, name].filter(Boolean).join(" · ")}</p>
      </div>
      <time class="clock number" datetime=${new Date(glance.clock.at / 1000).toISOString()}>
        ${time(glance.clock.at / 1000, { zone: glance.clock.zone })}
      </time>
    </header>
    <main class="now"><${Now} now=${glance.now} level=${glance.level} zone=${glance.clock.zone} /></main>
    <section class="next" aria-label=${t("speaker.next.label")}><${Next} ...${glance} /></section>
    <footer class="health">
      <ul aria-label=${t("speaker.health.label")}>
        ${health(glance).map(
          ([key, icon, kind, text]) =>
            html`<li key=${key} class=${kind} data-health=${key} data-kind=${kind}>
              <${Icon} name=${icon} />${text}
            </li>`,
        )}
      </ul>
      <div class="row">
        ${fullscreen && html`<${IconButton} icon="screen" label=${t("speaker.fullscreen")} onClick=${fullscreen} />`}
        <${IconButton} icon="settings" label=${t("speaker.settings.title")} onClick=${more} />
      </div>
    </footer>
  </div>`;
}

/** What sounds, or why nothing does. @param {Glance["now"]} now */
const titleOf = (now) =>
  now.kind === "silent" ? t(`speaker.silent.${now.reason}`) : now.title || t(`speaker.untitled.${now.kind}`);

/** @param {{now: Glance["now"], level: number, zone: string | undefined}} props */
function Now({ now, level, zone }) {
  if (now.kind === "silent") {
    const until = now.until === null ? "" : time(now.until / 1000, { zone });
    return html`<p class="kind" data-now="silent">${t("speaker.now.silent")}</p>
      <h1>${titleOf(now)}</h1>
      <p class="artist">${until && t("speaker.silent.until", { time: until })}</p>`;
  }
  const share = now.duration_ms ? Math.min(1, now.position_ms / now.duration_ms) : 0;
  return html`<p class=${classes("kind", now.kind)} data-now=${now.kind}>
      <span class="bars" aria-hidden="true"
        >${BARS.map((each) => html`<i style=${{ transform: `scaleY(${barOf(level) * each})` }}></i>`)}</span
      >
      ${t(`speaker.now.${now.kind}`)}
    </p>
    <h1>${titleOf(now)}</h1>
    <p class="artist">${now.artist}</p>
    ${
      now.duration_ms > 0 &&
      html`<div class="way">
        <span class="number">${length(now.position_ms)}</span>
        <progress max="1" value=${share} aria-label=${t("speaker.now.progress")}></progress>
        <span class="number">${length(now.duration_ms)}</span>
      </div>`
    }`;
}

/** @param {Glance} props */
function Next({ next, words, clock }) {
  const at = (/** @type {number} */ instant) => time(instant / 1000, { zone: clock.zone });
  const called = (/** @type {{title: string, artist?: string}} */ { title, artist }, /** @type {string} */ kind) =>
    [title || t(`speaker.untitled.${kind}`), artist].filter(Boolean).join(" – ");
  return html`${
    next &&
    html`<p>
      <${Icon} name="music" /><span class="quiet">${t("speaker.next.music")}</span
      ><span class="cut grow">${called(next, "music")}</span><span class="number quiet">${at(next.at)}</span>
    </p>`
  }
  ${
    words &&
    html`<p>
      <${Icon} name="announcement" /><span class="quiet">${t("speaker.next.words")}</span
      ><span class="cut grow">${called(words, "announcement")}</span><span class="number quiet">${at(words.at)}</span>
    </p>`
  }`;
}

/**
 * What the strip says: key, icon, how well it is, in words.
 * @param {Glance} glance
 * @returns {[string, IconName, Kind, string][]}
 */
function health({ connection, time: clock, files, owed, volume, muted }) {
  const whole = files.files === files.of;
  const known = clock.error_us !== null && clock.state !== "untrusted";
  const error = known && clock.error_us !== null ? number(Math.max(1, Math.round(clock.error_us / 1000))) : "";
  const clockText = known ? "speaker.clock.known" : `speaker.clock.${clock.state}`;
  return [
    [
      "connection",
      connection.state === "on" ? "wifi" : "offline",
      connection.state === "on" ? "good" : "warn",
      connected(connection),
    ],
    [
      "clock",
      "clock",
      clock.state === "synced" ? "good" : "warn",
      t(has(clockText) ? clockText : "speaker.clock.unsynced", { error }),
    ],
    [
      "files",
      "download",
      whole ? "good" : "warn",
      t(whole ? "speaker.files.all" : "speaker.files.some", { here: files.files, n: files.of }),
    ],
    ["owed", "check", owed ? "warn" : "good", owed ? t("speaker.owed.some", { n: owed }) : t("speaker.owed.none")],
    [
      "volume",
      muted ? "mute" : "volume",
      muted ? "warn" : "good",
      muted ? t("speaker.volume.muted") : t("speaker.volume.at", { n: volume }),
    ],
  ];
}

/** @param {Glance["connection"]} connection */
function connected({ state, again }) {
  if (state !== "off" || again === null) return t(`speaker.connection.${state}`);
  return t("speaker.connection.again", { n: Math.max(0, Math.ceil((again - Date.now()) / 1000)) });
}

/**
 * The height of a bar by the level: 50 dB of it, since quiet music is music too.
 * @param {number} level RMS, 0 to 1
 */
const barOf = (level) => Math.min(1, Math.max(0.15, 1 + Math.log10(Math.max(level, 1e-6)) / 2.5 + 0.24));
