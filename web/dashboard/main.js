/** The dashboard: its session, its socket, its frame. */

import { followLanguage } from "../common/i18n.js";
import { Live, attach } from "../common/live.js";
import { translateProblems } from "../common/problems.js";
import { forgetAll } from "../common/query.js";
import { followLinks } from "../common/router.js";
import { look, me, phase, start } from "../common/session.js";
import { followTheme } from "../common/theme.js";
import { effect, html, render, untracked } from "../common/view.js";
import { Frame } from "./frame/frame.js";
import { routed } from "./routes.js";

followTheme();
followLanguage();
translateProblems();
followLinks((path) => routed(path) !== null);

const live = new Live({ ended: () => void look() });
attach(live);
let whose = "";
effect(() => {
  const person = phase.value === "in" ? me.value : null;
  // Another person, or the same one under a borrowed identity, sees other things.
  const next = person?.client ? `${person.id} ${person.impersonation?.until ?? ""}` : "";
  if (next === whose) return;
  whose = next;
  untracked(() => {
    live.stop();
    forgetAll();
    if (next) live.start();
  });
});

render(html`<${Frame} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
void start();
