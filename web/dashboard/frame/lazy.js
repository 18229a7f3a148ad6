/** A page whose module is loaded when it is first opened. */

import { t } from "../../common/i18n.js";
import { Failed, Skeleton } from "../../common/ui.js";
import { html, useEffect, useState } from "../../common/view.js";

/** @type {Map<string, (props: any) => any>} */
const loaded = new Map();

/**
 * The page of a route. A module that cannot be loaded is of a release that is gone, or there is no network: loading the
 * page anew mends the first.
 * @param {{ route: import("../routes.js").Route, params: Record<string, string> }} props
 */
export function Lazy({ route, params }) {
  const [, setThere] = useState(loaded.has(route.path));
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let here = true;
    if (loaded.has(route.path)) return undefined;
    route.page().then(
      (module) => {
        loaded.set(route.path, module.default);
        if (here) setThere(true);
      },
      () => here && setFailed(true), // the browser tells a page no more than that
    );
    return () => {
      here = false;
    };
  }, [route]);
  if (failed) return html`<${Failed} words=${t("frame.not_loaded")} onRetry=${() => location.reload()} />`;
  const Page = loaded.get(route.path);
  return Page ? html`<${Page} ...${params} />` : html`<${Skeleton} />`;
}
