/** How a speaker gets its identity: by a code that a person enters (the shape of RFC 8628). */

import { DocumentError, integer, optional, shape, text } from "./rules/documents.js";

/** The server does not pair this speaker; the message is a sentence for the user. */
export class PairingError extends Error {}

const invitation = shape({
  device_code: text,
  user_code: text,
  verification_uri: text,
  expires_in: integer,
  interval: optional(integer, 5),
});
const claimed = shape({ device_id: text, name: text, ws_path: text, plan_url: text, token: text });

/** What a person is shown; seconds for `expires_in`, `interval`. @typedef {ReturnType<typeof invitation>} Invitation */
/** Who this speaker is from now on. @typedef {ReturnType<typeof claimed>} Identity */
/** The server's answer: its status and its JSON. @typedef {{status: number, body: unknown}} Answer */
/**
 * Posts JSON to a path; null where nobody answers.
 * @typedef {(path: string, body: object) => Promise<Answer | null>} Post
 */
/** @typedef {(seconds: number) => Promise<void>} Sleep */

/** What it calls itself. */
export const SOFTWARE = "sync2gear-web/1";
/** RFC 8628 §3.5. */
const SLOW_DOWN_S = 5;
const UNREACHABLE_S = 5;

/**
 * Asks for a code, shows it, and waits until a person has entered it; a code that expires is renewed.
 * @param {{post: Post, sleep: Sleep, show: (invitation: Invitation) => void}} means
 * @param {{hardware_id: string, name: string, software: string}} wish
 * @returns {Promise<Identity>}
 */
export async function pair({ post, sleep, show }, wish) {
  for (;;) {
    const answer = await patiently(post, sleep, "/api/devices/pair/", wish);
    if (answer.status === 429) {
      await sleep(UNREACHABLE_S);
      continue;
    }
    if (answer.status !== 201) throw new PairingError(why(answer));
    const found = understood(invitation, answer);
    show(found);
    const identity = await poll(post, sleep, found);
    if (identity !== null) return identity;
  }
}

/**
 * Null when the code has expired.
 * @param {Post} post
 * @param {Sleep} sleep
 * @param {Invitation} found
 * @returns {Promise<Identity | null>}
 */
async function poll(post, sleep, found) {
  let interval = found.interval;
  for (;;) {
    await sleep(interval);
    const answer = await patiently(post, sleep, "/api/devices/pair/token/", { device_code: found.device_code });
    if (answer.status === 200) return understood(claimed, answer);
    const code = problem(answer).code;
    if (code === "expired_token" || code === "access_denied") return null;
    if (code === "authorization_pending") continue;
    if (code !== "slow_down" && answer.status !== 429) throw new PairingError(why(answer));
    interval += SLOW_DOWN_S;
  }
}

/** @param {Post} post @param {Sleep} sleep @param {string} path @param {object} body @returns {Promise<Answer>} */
async function patiently(post, sleep, path, body) {
  for (;;) {
    const answer = await post(path, body);
    if (answer !== null && answer.status < 500) return answer;
    await sleep(UNREACHABLE_S);
  }
}

/**
 * @template T
 * @param {import("./rules/documents.js").Reader<T>} reader
 * @param {Answer} answer
 */
function understood(reader, answer) {
  try {
    return reader(answer.body, "");
  } catch (error) {
    if (error instanceof DocumentError)
      throw new PairingError(`The server's answer is not understood: ${error.message}`);
    throw error;
  }
}

/** @param {Answer} answer @returns {{code?: unknown, detail?: unknown, title?: unknown}} */
const problem = (answer) => (typeof answer.body === "object" && answer.body !== null ? answer.body : {});

/** @param {Answer} answer */
const why = (answer) =>
  String(problem(answer).detail ?? problem(answer).title ?? `The server answered ${answer.status}.`);
