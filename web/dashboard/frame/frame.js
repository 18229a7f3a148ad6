/** Which of all there is to show: the way in, the shop, or that the server does not answer. */

import "./texts.js";
import { t } from "../../common/i18n.js";
import { go, place } from "../../common/router.js";
import { look, may, me, phase } from "../../common/session.js";
import { Button, EmptyState, Leaving, Skeleton, Toasts } from "../../common/ui.js";
import { html, useEffect } from "../../common/view.js";
import { routed } from "../routes.js";
import { Lazy } from "./lazy.js";
import { Shell } from "./shell.js";

/** How often a server that does not answer is asked again. */
const LOOK_AGAIN_MS = 5000;

/** Everything on the screen. */
export function Frame() {
  return html`<${Shown} /><${Leaving} /><${Toasts} />`;
}

function Shown() {
  const path = place.value.path;
  const found = routed(path);
  const title = found?.route.title;
  useEffect(() => {
    document.title = title ? `${t(title)} · sync2gear` : "sync2gear";
  });

  if (found?.route.for === "out" && !(phase.value === "in" && path === "/sign-in")) {
    return html`<${Lazy} key=${found.route.path} route=${found.route} params=${found.params} />`;
  }
  if (phase.value === "starting") return html`<main class="page"><${Skeleton} /></main>`;
  if (phase.value === "unreachable") return html`<${Unreachable} />`;
  if (phase.value === "out") {
    const next = path === "/" ? "" : `?next=${encodeURIComponent(path + place.value.query)}`;
    return html`<${Redirect} to=${`/sign-in${next}`} />`;
  }
  if (path === "/sign-in") return html`<${Redirect} to=${afterSignIn()} />`;
  // Staff have no shop of their own: they begin with the businesses.
  if (path === "/" && !me.value?.client) return html`<${Redirect} to="/businesses" />`;
  const barred =
    !found || (found.route.needs && !may(found.route.needs)) || (found.route.of === "shop" && !me.value?.client);
  return html`<${Shell} path=${path}>
    ${barred ? html`<${Nowhere} />` : html`<${Lazy} key=${found.route.path} ...${found} />`}
  <//>`;
}

/** Where one was going when one was asked to sign in: a path of ours, never another host. */
export function afterSignIn() {
  const next = new URLSearchParams(place.value.query).get("next") ?? "/";
  return next.startsWith("/") && routed(next.split("?")[0]) ? next : "/";
}

/** @param {{ to: string }} props */
function Redirect({ to }) {
  useEffect(() => go(to, { replace: true }), [to]);
  return null;
}

function Nowhere() {
  const action = html`<${Button} kind="primary" href="/">${t("frame.to_start")}<//>`;
  return html`<${EmptyState} heading="h1" icon="search" title=${t("frame.nowhere")} action=${action}>
    ${t("frame.nowhere_text")}
  <//>`;
}

function Unreachable() {
  useEffect(() => {
    const timer = setInterval(() => void look(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const action = html`<${Button} icon="refresh" onClick=${() => void look()}>${t("common.retry")}<//>`;
  return html`<main class="page">
    <${EmptyState} heading="h1" icon="offline" title=${t("frame.unreachable")} action=${action}>
      ${t("frame.unreachable_text")}
    <//>
  </main>`;
}
