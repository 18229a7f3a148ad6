/** Pairing by a code, against a server that answers from a list. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { PairingError, pair } from "../pairing.js";

const INVITED = {
  status: 201,
  body: { device_code: "secret", user_code: "BCDF-GHJK", verification_uri: "/", expires_in: 600, interval: 5 },
};
const CLAIMED = {
  status: 200,
  body: { id: 1, device_id: "d", name: "n", ws_path: "/ws/", plan_url: "/plan/", token: "t" },
};
/** @param {string} code @param {number} [status] */
const refusal = (code, status = 400) => ({ status, body: { code, detail: `It is ${code}.` } });

/**
 * Pairs with a server of these answers: what came of it, the codes shown, the seconds slept.
 * @param {...({status: number, body: unknown} | null)} answers
 */
async function attempt(...answers) {
  /** @type {number[]} */
  const slept = [];
  /** @type {string[]} */
  const shown = [];
  const identity = await pair(
    {
      post: async () => {
        const answer = answers.shift();
        assert(answer !== undefined, "asked once too often");
        return answer;
      },
      sleep: async (seconds) => void slept.push(seconds),
      show: ({ user_code }) => void shown.push(user_code),
    },
    { hardware_id: "h", name: "n", software: "s" },
  );
  assert.equal(answers.length, 0);
  return { identity, shown, slept };
}

test("it waits for a person, slows down when told to, and for good", async () => {
  const found = await attempt(
    INVITED,
    refusal("authorization_pending"),
    refusal("slow_down"),
    refusal("authorization_pending"),
    CLAIMED,
  );
  assert.deepEqual(found.slept, [5, 5, 10, 10]);
  assert.deepEqual(found.identity, { device_id: "d", name: "n", ws_path: "/ws/", plan_url: "/plan/", token: "t" });
});

for (const code of ["expired_token", "access_denied"]) {
  test(`a new code after ${code}`, async () => {
    const { shown } = await attempt(INVITED, refusal(code), INVITED, CLAIMED);
    assert.deepEqual(shown, ["BCDF-GHJK", "BCDF-GHJK"]);
  });
}

test("a server that is away or busy is asked again, and the code stays", async () => {
  const { shown, slept } = await attempt(null, refusal("throttled", 429), INVITED, null, refusal("", 503), CLAIMED);
  assert.equal(shown.length, 1);
  assert.deepEqual(slept, [5, 5, 5, 5, 5]);
});

test("what the server refuses is told in its own words; what it does not say is not guessed", async () => {
  await assert.rejects(attempt(refusal("validation_error")), { message: "It is validation_error." });
  await assert.rejects(attempt({ status: 404, body: null }), { message: "The server answered 404." });
  await assert.rejects(attempt(INVITED, { status: 200, body: { device_id: "d" } }), PairingError);
});
