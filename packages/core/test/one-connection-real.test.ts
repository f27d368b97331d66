import { createAuthority, type IssuedCertificate, identifyForCluster, issueNodeCertificate } from "@octopii/certificates";
import type { Transport } from "@octopii/interfaces";
import { systemClock, systemRandom, systemScheduler } from "@octopii/system";
import { createQuicTransport } from "@octopii/transport-quic";
import { createTcpTransport } from "@octopii/transport-tcp";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Participant, unsettled } from "./support/meeting.js";

const cluster = "test";
const ids = [1, 2];
const kinds = { quic: createQuicTransport, tcp: createTcpTransport };
const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function transportOf(kind: keyof typeof kinds, authority: IssuedCertificate, nodeId: number): Promise<Transport> {
  const own = await issueNodeCertificate(authority, { cluster, nodeId, name: `node-${nodeId}` });
  const credentials = { ...own, authorities: authority.certificate };
  const transport = kinds[kind]({ credentials, identify: identifyForCluster({ cluster }) });
  cleanUps.push(() => transport.close());
  return transport;
}

describe.each(["quic", "tcp"] as const)("two members who dial each other at the same time on %s", (kind) => {
  it("settle on one connection, lose nothing, and report no failure", async () => {
    const authority = await createAuthority({ cluster });
    let gaveWay = 0;
    for (let round = 0; round < 5; round++) {
      const participants = await Promise.all(
        ids.map(async (id) => {
          const transport = await transportOf(kind, authority, id);
          return new Participant(id, { transport, clock: systemClock, scheduler: systemScheduler, random: systemRandom });
        }),
      );
      const addresses = await Promise.all(participants.map((one) => one.listen("127.0.0.1:0")));
      const members = ids.map((id, i) => ({ id, address: addresses[i] ?? "" }));
      for (const one of participants) one.meet(members);
      const talk = setInterval(() => {
        for (const one of participants) for (const id of ids) if (id !== one.id) one.say(id);
      }, 1);
      try {
        await vi.waitUntil(() => participants.every((one) => (one.sent.get(3 - one.id)?.length ?? 0) >= 20), { timeout: 10_000 });
        await vi.waitFor(() => expect(unsettled(participants)).toEqual([]));
      } finally {
        clearInterval(talk);
      }
      const [one, other] = participants as [Participant, Participant];
      await vi.waitFor(() => expect(other.received.get(1)).toEqual(one.sent.get(2)));
      await vi.waitFor(() => expect(one.received.get(2)).toEqual(other.sent.get(1)));
      for (const { unreachable, closes } of participants) {
        expect(unreachable).toEqual([]);
        expect(closes.filter(({ code }) => code !== 2)).toEqual([]);
        gaveWay += closes.length;
      }
    }
    expect(gaveWay).toBeGreaterThan(0);
  });
});
