/** Calls and transfers on one connection, over real transports: what Octopii's mixed and chaos tests do, at their numbers or above. */
import { createAuthority, type IssuedCertificate, identifyForCluster, issueNodeCertificate } from "@octopii/certificates";
import type { Connection, Transport } from "@octopii/interfaces";
import { createRpc, type Rpc } from "@octopii/rpc";
import { createShippingLane, type ShippingLane } from "@octopii/shipping-lane";
import { createQuicTransport } from "@octopii/transport-quic";
import { createTcpTransport } from "@octopii/transport-tcp";
import { afterEach, beforeAll, describe, expect, it } from "vitest";

const cluster = "mixed";
const create = { quic: createQuicTransport, tcp: createTcpTransport };
type Kind = keyof typeof create;

let authority: IssuedCertificate;
beforeAll(async () => {
  authority = await createAuthority({ cluster });
});
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Side {
  readonly transport: Transport;
  readonly rpc: Rpc;
  readonly lane: ShippingLane;
}

async function side(kind: Kind, nodeId: number): Promise<Side> {
  const own = await issueNodeCertificate(authority, { cluster, nodeId, name: `node-${nodeId}` });
  const credentials = { ...own, authorities: authority.certificate };
  const transport = create[kind]({ credentials, identify: identifyForCluster({ cluster }) });
  const [rpc, lane] = [createRpc(), createShippingLane()];
  closers.push(
    () => transport.close(),
    () => rpc.close({ timeoutMs: 0 }),
    () => lane.close(),
  );
  return { transport, rpc, lane };
}

interface Pair {
  readonly server: Side;
  readonly client: Side;
  readonly accepted: Connection[];
  connect(): Promise<Connection>;
}

async function pair(kind: Kind): Promise<Pair> {
  const [server, client] = [await side(kind, 1), await side(kind, 2)];
  const accepted: Connection[] = [];
  const onConnection = (connection: Connection): void => {
    accepted.push(connection);
    connection.onStream = (stream) => {
      if (!server.lane.acceptStream(stream, connection)) server.rpc.acceptStream(stream, connection);
    };
  };
  const { address } = await server.transport.listen({ address: "127.0.0.1:0", onConnection });
  server.rpc.router.handle("echo", (payload) => payload.slice());
  server.lane.onOffer = async (offer) => {
    await offer.toMemory();
  };
  return { server, client, accepted, connect: () => client.transport.connect(address) };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

describe.each(["quic", "tcp"] as const)("over %s", (kind) => {
  it("calls are answered while 10 MiB travel on the same connection", { timeout: 60_000 }, async () => {
    const { client, connect } = await pair(kind);
    const connection = await connect();
    const caller = client.rpc.client(connection);
    const payload = new Uint8Array(64);
    const measure = async (goOn: (calls: number) => boolean): Promise<number[]> => {
      const durations: number[] = [];
      while (goOn(durations.length)) {
        const start = performance.now();
        await caller.call("echo", payload);
        durations.push(performance.now() - start);
      }
      return durations;
    };
    await measure((calls) => calls < 50);
    const content = new Uint8Array(10 * 1024 * 1024).fill(7);
    let isOver = false;
    const started = performance.now();
    const sending = client.lane.sendBytes(connection, content, { name: "bulk" }).finally(() => {
      isOver = true;
    });
    const beside = await measure(() => !isOver);
    await sending;
    const took = performance.now() - started;
    // Not behind the transfer: many were answered while it went on, and a usual one took a small part of its time.
    expect(beside.length).toBeGreaterThan(10);
    expect(median(beside)).toBeLessThan(took / 10);
  });

  it("eight callers make 30 calls each, and transfers go on, while connections are dropped and handlers fail", {
    timeout: 60_000,
  }, async () => {
    const { server, client, connect, accepted } = await pair(kind);
    let answered = 0;
    server.rpc.router.handle("flaky", (payload) => {
      answered += 1;
      if (answered % 7 === 0) throw new Error("a bad moment");
      return payload.slice();
    });
    let connection = await connect();
    let caller = client.rpc.client(connection);
    let reconnecting: Promise<void> | null = null;
    const reconnect = (): Promise<void> => {
      reconnecting ??= (async () => {
        connection = await connect();
        caller = client.rpc.client(connection);
        reconnecting = null;
      })();
      return reconnecting;
    };
    let calls = 0;
    let good = 0;
    const call = async (name: number): Promise<void> => {
      for (let i = 0; i < 30; i++) {
        calls += 1;
        // One in twenty drops the connection under everybody, right after the call has left.
        const drop = calls % 20 === 0;
        const used = caller;
        const payload = new Uint8Array([name, i]);
        const answer = used.call("flaky", payload, { timeoutMs: 2_000 });
        if (drop) accepted.at(-1)?.close(5, "dropped");
        try {
          expect(await answer).toEqual(payload);
          good += 1;
        } catch {
          if (used === caller && (drop || calls % 20 < 8)) await reconnect();
        }
      }
    };
    const content = new Uint8Array(128 * 1024).fill(3);
    let shipped = 0;
    const ship = async (): Promise<void> => {
      for (let tries = 0; shipped < 6 && tries < 200; tries++) {
        try {
          await client.lane.sendBytes(connection, content, { name: "parcel" });
          shipped += 1;
        } catch {
          await reconnect();
        }
      }
    };
    await Promise.all([...Array.from({ length: 8 }, (_, name) => call(name)), ship()]);
    expect(calls).toBe(240);
    expect(good).toBeGreaterThanOrEqual(50);
    expect(shipped).toBe(6);
    expect(server.lane.stats().receiving).toBe(0);
  });
});
