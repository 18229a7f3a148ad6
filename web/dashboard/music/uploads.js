/** Files on their way to the server: a few at once, each with how far it has come. They go on while other pages are shown. */

import { upload } from "../../common/api.js";
import { invalidate } from "../../common/query.js";
import { holdTab } from "../../common/unsaved.js";
import { signal } from "../../common/view.js";

/**
 * @typedef {object} Upload
 * @property {number} id
 * @property {string} name of its file
 * @property {number} bytes
 * @property {"waiting" | "sending" | "examined" | "kept" | "failed"} state examined: all has been sent, the server looks at it
 * @property {number} share how much of it has gone, 0 to 1
 * @property {unknown} error
 * @property {boolean} twice the very same sound was there before
 */

/** Two keep a line busy; more would only make each slower. */
const AT_ONCE = 2;

/** All of them, the newest last, until they are put away. */
export const uploads = signal(/** @type {Upload[]} */ ([]));

holdTab(() => uploads.value.some((each) => each.state !== "kept" && each.state !== "failed"));

/** @type {Map<number, { file: File, stop: AbortController }>} */
const held = new Map();
let count = 0;

/** @param {number} id @param {Partial<Upload>} some */
function change(id, some) {
  uploads.value = uploads.value.map((each) => (each.id === id ? { ...each, ...some } : each));
}

/** Begins to send files. @param {File[]} files */
export function send(files) {
  const added = files.map((file) => {
    const id = (count += 1);
    held.set(id, { file, stop: new AbortController() });
    return /** @type {Upload} */ ({ id, name: file.name, bytes: file.size, state: "waiting", share: 0, error: null, twice: false });
  });
  uploads.value = [...uploads.value, ...added];
  next();
}

/** Sends a failed one again. @param {number} id */
export function again(id) {
  const one = held.get(id);
  if (!one) return;
  one.stop = new AbortController();
  change(id, { state: "waiting", share: 0, error: null });
  next();
}

/** Stops one that is on its way, or puts away one that has ended. @param {number} id */
export function drop(id) {
  held.get(id)?.stop.abort();
  held.delete(id);
  uploads.value = uploads.value.filter((each) => each.id !== id);
  next();
}

/** Puts away what has been kept. */
export function tidy() {
  for (const each of uploads.value) if (each.state === "kept") drop(each.id);
}

/** Which wait and may go now, in their order. @param {Upload[]} all @returns {Upload[]} */
export function startable(all) {
  const busy = all.filter((each) => each.state === "sending" || each.state === "examined").length;
  return all.filter((each) => each.state === "waiting").slice(0, Math.max(0, AT_ONCE - busy));
}

function next() {
  for (const { id } of startable(uploads.value)) void run(id);
}

/** @param {number} id */
async function run(id) {
  const one = held.get(id);
  if (!one) return;
  change(id, { state: "sending" });
  const form = new FormData();
  form.append("file", one.file, one.file.name);
  try {
    const progress = (/** @type {number} */ share) => change(id, { share, state: share < 1 ? "sending" : "examined" });
    const music = await upload("/api/music/upload/", form, { progress, signal: one.stop.signal });
    change(id, { state: "kept", share: 1, twice: music.duplicate_of !== null });
    invalidate("/api/music/");
  } catch (error) {
    change(id, { state: "failed", error }); // one that was dropped is not there any more to be changed
  }
  next();
}
