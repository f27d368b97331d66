import type { Connection, Identification, PeerIdentity } from "@octopii/interfaces";
import { describe, expect, test } from "vitest";
import {
  createManualTime,
  createMemoryNetwork,
  createMemoryTransport,
  encodeStandInCertificate,
  identifyStandIn,
} from "../../src/index.js";

const alice: PeerIdentity = { name: "alice", cluster: "c", nodeId: 1 };
const bob: PeerIdentity = { name: "bob", cluster: "c", nodeId: 2 };
const refuseAll = (): Identification => ({ accepted: false, reason: "Strangers are not welcome." });

/** Lets promise jobs and turns run until nothing changes. */
async function settle(time: ReturnType<typeof createManualTime>): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    time.advance(0);
    await Promise.resolve();
  }
}

async function attempt(identifyAlice?: () => Identification, identifyBob?: () => Identification) {
  const time = createManualTime();
  const network = createMemoryNetwork(time.scheduler, time.clock);
  const accepted: Connection[] = [];
  const server = createMemoryTransport(network, { host: "a", identity: alice, ...(identifyAlice ? { identify: identifyAlice } : {}) });
  const client = createMemoryTransport(network, { host: "b", identity: bob, ...(identifyBob ? { identify: identifyBob } : {}) });
  await server.listen({ address: "a:1", onConnection: (connection) => accepted.push(connection) });
  const outcome = client.connect("a:1").then(
    (connection) => connection.peer,
    (error: unknown) => error,
  );
  await settle(time);
  return { outcome: await outcome, accepted, time, server, client };
}

describe("identities", () => {
  test("are what each end was given", async () => {
    const { outcome, accepted } = await attempt();
    expect(outcome).toEqual(alice);
    expect(accepted.map(({ peer }) => peer)).toEqual([bob]);
  });

  test("are judged by the hook of the server, and a refusal says why", async () => {
    const { outcome, accepted } = await attempt(refuseAll);
    expect(outcome).toMatchObject({
      code: "OCTOPII_TESTING_PEER_REFUSED",
      message: expect.stringContaining("Strangers are not welcome."),
      details: { refusal: { by: "remote", reason: expect.stringContaining("Strangers") } },
    });
    expect(accepted).toEqual([]);
  });

  test("are judged by the hook of the client, and the server hears of no connection", async () => {
    const { outcome, accepted, time } = await attempt(undefined, refuseAll);
    expect(outcome).toMatchObject({ code: "OCTOPII_TESTING_PEER_REFUSED", details: { refusal: { by: "local" } } });
    await settle(time);
    expect(accepted).toEqual([]);
  });

  test("a hook that throws refuses", async () => {
    const { outcome } = await attempt(() => {
      throw new Error("a bug in the hook");
    });
    expect(outcome).toMatchObject({ code: "OCTOPII_TESTING_PEER_REFUSED", message: expect.stringContaining("a bug in the hook") });
  });

  test("come from stand-in certificates, which are checked", () => {
    expect(identifyStandIn([encodeStandInCertificate(alice)])).toEqual({ accepted: true, peer: alice });
    const text = (value: string) => new TextEncoder().encode(value);
    for (const chain of [
      [],
      [text("-----BEGIN")],
      [text("octopii stand-in certificate 1\n{")],
      [text('octopii stand-in certificate 1\n{"name":1}')],
      [text('octopii stand-in certificate 1\n{"name":"x","cluster":null,"nodeId":0}')],
    ]) {
      expect(identifyStandIn(chain).accepted).toBe(false);
    }
  });

  test("closing the transports leaves no timer behind", async () => {
    const { server, client, time } = await attempt();
    await client.close();
    await settle(time);
    await server.close();
    await settle(time);
    expect(time.pending).toBe(0);
  });
});

test("bad limits are refused together", () => {
  const network = createMemoryNetwork(createManualTime().scheduler);
  expect(() => createMemoryTransport(network, { identity: alice, maxStreams: 0, sendBufferBytes: -1, idleTimeoutMs: Number.NaN })).toThrow(
    /idleTimeoutMs.*sendBufferBytes.*maxStreams/,
  );
});

test("connections beyond the limit are refused at either end", async () => {
  const time = createManualTime();
  const network = createMemoryNetwork(time.scheduler, time.clock);
  const server = createMemoryTransport(network, { host: "a", identity: alice, maxConnections: 1 });
  const client = createMemoryTransport(network, { host: "b", identity: bob, maxConnections: 2 });
  await server.listen({ address: "a:1", onConnection: () => undefined });
  const outcomes = Promise.allSettled([client.connect("a:1"), client.connect("a:1"), client.connect("a:1")]);
  await settle(time);
  const settled = await outcomes;
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  // No room is no judgement of who somebody is.
  for (const outcome of settled.slice(1)) expect(outcome).toMatchObject({ reason: { code: "OCTOPII_TESTING_PEER_REFUSED" } });
  for (const outcome of settled.slice(1)) expect(outcome).not.toHaveProperty("reason.details.refusal");
});
