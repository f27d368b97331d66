import assert from "node:assert/strict";
import type { IdentityRefusal } from "@octopii/interfaces";
import type { CaseTable } from "./case-table.js";
import type { Lab } from "./lab.js";
import { refusalReason } from "./options.js";

/** Why a dial failed; the case fails if it did not. */
async function failureOf(lab: Lab, dial: Promise<unknown>): Promise<unknown> {
  const outcome = await lab.within(
    dial.then(
      () => null,
      (error: unknown) => ({ error }),
    ),
    "the end of the dial",
  );
  assert.ok(outcome !== null, "a connection came about although one side refuses the other");
  return outcome.error;
}

const refusalOf = (error: unknown): IdentityRefusal | undefined => (error as { details?: { refusal?: IdentityRefusal } }).details?.refusal;

async function refusedByDialer(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  const refusal = refusalOf(await failureOf(lab, lab.fixture.stranger.transport.connect(listener.address)));
  assert.equal(refusal?.by, "local");
  assert.ok(refusal.reason.includes(refusalReason), `the reason is "${refusal.reason}"`);
  await lab.pause();
  assert.equal(lab.accepted.size, 0, "the listener was given a connection that its peer had refused");
}

async function refusedByListener(lab: Lab): Promise<void> {
  const { transport, listenAddress } = lab.fixture.stranger;
  const listening = transport.listen({ address: listenAddress, onConnection: lab.accepted.put });
  const listener = await lab.within(listening, "listen");
  const refusal = refusalOf(await failureOf(lab, lab.fixture.client.connect(listener.address)));
  assert.equal(refusal?.by, "remote");
  assert.ok(refusal.reason.includes(refusalReason), `the reason is "${refusal.reason}"`);
  assert.equal(lab.accepted.size, 0, "a peer that was refused became a connection");
}

async function noRefusalWithoutOne(lab: Lab): Promise<void> {
  const { connectTimeoutMs } = lab.config;
  const silence = await failureOf(lab, lab.fixture.client.connect(lab.fixture.unreachableAddress, { timeoutMs: connectTimeoutMs }));
  assert.equal(refusalOf(silence), undefined, "nobody refused anybody");
}

/** Cases about who may talk to whom. */
export const identityCases: CaseTable = {
  "a dialer that refuses its peer says so in details.refusal": refusedByDialer,
  "a dialer that its peer refuses learns why in details.refusal": refusedByListener,
  "a peer that does not answer refuses nobody": noRefusalWithoutOne,
};
