/** Exports of the API, saved as files. A plain link cannot do it: the API knows no cookie. */

import { ApiError, Unreachable, caller } from "./api.js";

/**
 * Fetches an export and hands it to the browser as a file. Raises as `call` does.
 * @param {string} path with its query
 * @param {string} name of the file, where the server gives none
 * @param {{ progress?: (bytes: number) => void, signal?: AbortSignal }} [how] an export tells no length beforehand
 */
export async function saveExport(path, name, { progress, signal } = {}) {
  const answer = await asked(path, await caller.token(), signal);
  const named = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  const parts = [];
  let bytes = 0;
  try {
    for await (const part of read(/** @type {ReadableStream<Uint8Array>} */ (answer.body))) {
      parts.push(part);
      progress?.((bytes += part.length));
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable(); // it broke off: half a file is none
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: answer.headers.get("Content-Type") ?? "" }));
  link.download = named ?? name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // once the browser has begun to save it
}

/** @param {string} path @param {string | null} token @param {AbortSignal} [signal] @returns {Promise<Response>} */
async function asked(path, token, signal) {
  const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
  const answer = await fetch(path, { headers, signal, credentials: "omit", cache: "no-store" }).catch((error) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable();
  });
  if (answer.ok) return answer;
  const renewed = answer.status === 401 && token ? await caller.renewed(token) : null;
  if (renewed && renewed !== token) return asked(path, renewed, signal);
  throw new ApiError(answer.status, await answer.json().catch(() => null), answer.headers);
}

/** A stream's parts; Safari's streams are no async iterables. @param {ReadableStream<Uint8Array>} stream */
async function* read(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield /** @type {Uint8Array<ArrayBuffer>} */ (value);
  }
}
