/**
 * The API, called from a page: JSON, an access token that renews itself, problems (RFC 9457) as typed errors, one key
 * for all attempts of a POST, entity tags, uploads with progress.
 */

/**
 * What is wrong with one field of a request.
 * @typedef {{ field: string | null, code: string, detail: string }} FieldProblem
 */

/**
 * How a problem is said: by its code, the server's own sentence and its field. `problems.js` says it in the reader's
 * language.
 * @type {{ of: (code: string, detail: string, field?: string | null) => string }}
 */
export const wording = { of: (_, detail) => detail };

/** The API said no. `code` is one of docs/errors.md, `message` a sentence for a person. */
export class ApiError extends Error {
  /** @param {number} status @param {any} problem @param {Headers} [headers] */
  constructor(status, problem, headers) {
    super(problem?.detail || problem?.title || `HTTP ${status}`);
    this.name = "ApiError";
    this.status = status;
    /** @type {string} */
    this.code = problem?.code ?? "unknown";
    /** @type {FieldProblem[]} */
    this.errors = problem?.errors ?? [];
    /** All members of the problem. @type {Record<string, any>} */
    this.problem = problem ?? {};
    this.retryAfterS = Number(headers?.get("Retry-After")) || 0;
  }

  /** The sentence for a person. */
  get sentence() {
    return wording.of(this.code, this.message);
  }

  /** What is said of a field; empty when nothing is. @param {string} name */
  of(name) {
    return said(this.errors.filter((error) => error.field === name));
  }

  /** What is said of no field among these: it has to be shown beside the form. @param {readonly string[]} names */
  beside(names) {
    if (!this.errors.length) return this.sentence;
    return said(this.errors.filter(({ field }) => !field || !names.includes(field)));
  }
}

/** @param {FieldProblem[]} errors */
const said = (errors) => errors.map(({ code, detail, field }) => wording.of(code, detail, field)).join(" ");

/** The server could not be reached, or did not answer. */
export class Unreachable extends Error {
  constructor() {
    super("The server cannot be reached.");
    this.name = "Unreachable";
    this.code = "unreachable";
  }
}

/**
 * Who calls: filled in by `session.js`. `token` gives the present access token or null; `renewed` a fresh one in place
 * of one that the server refused, or null when there is none to be had.
 * @type {{ token: () => Promise<string | null>, renewed: (refused: string) => Promise<string | null> }}
 */
export const caller = { token: async () => null, renewed: async () => null };

/**
 * @typedef {object} Options
 * @property {Record<string, any>} [query] what is null, undefined or "" is left out; a list is repeated
 * @property {AbortSignal} [signal]
 * @property {string} [etag] of what is changed: refused (`precondition_failed`) if somebody was quicker
 * @property {string} [key] the Idempotency-Key of a POST; each call has its own without one
 * @property {(answer: Answer) => void} [onAnswer] is given the whole of what was answered, such as the new entity tag
 * @property {boolean} [anonymous] without the caller's token
 * @property {string} [as] another token than the caller's
 * @property {boolean} [clears] whether the answer may clear what the browser keeps (Clear-Site-Data), for which browsers
 *   want a request with their credentials
 */

/** @typedef {{ data: any, status: number, headers: Headers, etag: string | null }} Answer */

/** A fresh key, 128 bits. `crypto.randomUUID` exists by HTTPS only, and a shop's own server may have none. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The path with its query.
 * @param {string} path
 * @param {Record<string, any>} [query]
 */
export function withQuery(path, query = {}) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") found.append(name, String(each));
    }
  }
  const text = found.toString();
  return text ? `${path}${path.includes("?") ? "&" : "?"}${text}` : path;
}

/**
 * One call. Raises ApiError, Unreachable, or AbortError when `signal` says so.
 * @param {string} method
 * @param {string} path like `/api/floors/`
 * @param {any} [body] JSON, or a FormData as it is
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, body, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (method === "POST") headers["Idempotency-Key"] = options.key ?? freshKey();
  if (options.etag) headers["If-Match"] = options.etag;
  if (body !== undefined && !(body instanceof FormData)) headers["Content-Type"] = "application/json";
  const sent = body === undefined || body instanceof FormData ? body : JSON.stringify(body);

  let token = options.anonymous ? null : (options.as ?? (await caller.token()));
  for (let attempt = 1; ; attempt += 1) {
    if (token) headers.Authorization = `Bearer ${token}`;
    // No cookie otherwise: the API knows the token alone.
    const credentials = options.clears ? "same-origin" : "omit";
    const request = { method, headers, body: sent, signal: options.signal, credentials };
    const answer = await fetched(withQuery(path, options.query), request);
    if (answer.status === 401 && token && !options.as && attempt === 1) {
      token = await caller.renewed(token);
      if (token) continue;
    }
    const told = await read(answer);
    options.onAnswer?.(told);
    return told;
  }
}

/** @param {string} url @param {object} request */
async function fetched(url, request) {
  try {
    return await fetch(url, { ...request, cache: "no-store" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable();
  }
}

/** @param {Response} answer @returns {Promise<Answer>} */
async function read(answer) {
  const text = await answer.text();
  const json = (answer.headers.get("Content-Type") ?? "").includes("json");
  const data = json && text ? JSON.parse(text) : text || null;
  if (!answer.ok) throw new ApiError(answer.status, json ? data : null, answer.headers);
  return { data, status: answer.status, headers: answer.headers, etag: answer.headers.get("ETag") };
}

/** The API by its methods; each gives what the answer holds, raises as `call` does. */
export const api = {
  /** @param {string} path @param {Options} [options] */
  get: async (path, options) => (await call("GET", path, undefined, options)).data,
  /** @param {string} path @param {any} [body] @param {Options} [options] */
  post: async (path, body, options) => (await call("POST", path, body, options)).data,
  /** @param {string} path @param {any} body @param {Options} [options] */
  put: async (path, body, options) => (await call("PUT", path, body, options)).data,
  /** @param {string} path @param {any} body @param {Options} [options] */
  patch: async (path, body, options) => (await call("PATCH", path, body, options)).data,
  /** @param {string} path @param {Options} [options] */
  delete: async (path, options) => (await call("DELETE", path, undefined, options)).data,
};

/**
 * All rows of a list, page after page; for lists of a shop's own size (floors, playlists), not for plays.
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any[]>}
 */
export async function everyRow(path, options = {}) {
  const rows = [];
  let page = await api.get(path, { ...options, query: { page_size: 200, ...options.query } });
  for (;;) {
    rows.push(...page.results);
    if (!page.next) return rows;
    page = await api.get(samePlace(page.next), { signal: options.signal });
  }
}

/** A link of the API as a path: behind a proxy it may name another host than the page's. @param {string} link */
export function samePlace(link) {
  const { pathname, search } = new URL(link, globalThis.location?.origin ?? "http://localhost");
  return pathname + search;
}

/**
 * Sends a form with a file, telling how much has gone (0 to 1). `XMLHttpRequest`, for `fetch` tells nothing of that.
 * @param {string} path
 * @param {FormData} form
 * @param {{ progress?: (share: number) => void, signal?: AbortSignal, method?: "POST" | "PUT", key?: string }}
 *   [options]
 * @returns {Promise<any>} what the answer holds; raises as `call` does
 */
export async function upload(path, form, { progress, signal, method = "POST", key = freshKey() } = {}) {
  const token = await caller.token();
  try {
    return await sent(path, form, { progress, signal, method, key, token });
  } catch (error) {
    const again = token && error instanceof ApiError && error.status === 401 ? await caller.renewed(token) : null;
    if (!again) throw error;
    return sent(path, form, { progress, signal, method, key, token: again });
  }
}

/**
 * @param {string} path
 * @param {FormData} form
 * @param {{ progress?: (share: number) => void, signal?: AbortSignal, method: string, key: string, token: string | null
 *   }} how
 * @returns {Promise<any>}
 */
function sent(path, form, { progress, signal, method, key, token }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.setRequestHeader("Accept", "application/json");
    if (method === "POST") request.setRequestHeader("Idempotency-Key", key);
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = (event) => event.lengthComputable && progress?.(event.loaded / event.total);
    request.onerror = () => reject(new Unreachable());
    request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    request.onload = () => {
      const json = (request.getResponseHeader("Content-Type") ?? "").includes("json");
      const data = json && request.responseText ? JSON.parse(request.responseText) : null;
      if (request.status < 400) return resolve(data);
      const wait = request.getResponseHeader("Retry-After");
      return reject(new ApiError(request.status, data, new Headers(wait ? { "Retry-After": wait } : {})));
    };
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    if (signal?.aborted) return reject(new DOMException("The upload was stopped.", "AbortError"));
    return request.send(form);
  });
}
