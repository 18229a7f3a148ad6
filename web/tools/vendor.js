/**
 * Writes web/vendor/*.js from the npm packages in web/node_modules; `--check` only compares, and fails when one
 * differs.
 *
 * Bare imports become relative, and the name of a source map that is not shipped goes.
 */

import { readFileSync, writeFileSync } from "node:fs";

const FILES = {
  "preact.js": "preact/dist/preact.mjs",
  "hooks.js": "preact/hooks/dist/hooks.mjs",
  "htm.js": "htm/dist/htm.module.js",
  "signals.js": "@preact/signals/dist/signals.mjs",
  "signals-core.js": "@preact/signals-core/dist/signals-core.mjs",
};

const RELATIVE = { preact: "./preact.js", "preact/hooks": "./hooks.js", "@preact/signals-core": "./signals-core.js" };

const web = new URL("../", import.meta.url);
const checking = process.argv.includes("--check");
let stale = 0;
for (const [name, source] of Object.entries(FILES)) {
  let text = readFileSync(new URL(`node_modules/${source}`, web), "utf8");
  text = `${text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "").trimEnd()}\n`;
  for (const [bare, relative] of Object.entries(RELATIVE)) text = text.replaceAll(`from"${bare}"`, `from"${relative}"`);
  const target = new URL(`vendor/${name}`, web);
  if (!checking) {
    writeFileSync(target, text);
  } else if (readFileSync(target, "utf8") !== text) {
    stale += 1;
    console.error(`web/vendor/${name} is not what its package holds: node web/tools/vendor.js`);
  }
}
process.exitCode = stale ? 1 : 0;
