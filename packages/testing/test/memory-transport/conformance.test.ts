import type { PeerIdentity } from "@octopii/interfaces";

import { describe, test } from "vitest";
import { createMemoryNetwork, createMemoryTransport } from "../../src/index.js";
import { refusalReason, type TransportFixture, testTransport } from "../../src/transport-conformance/index.js";
import { realClock, realScheduler } from "./real-time.js";

const serverIdentity: PeerIdentity = { name: "server", cluster: "test", nodeId: 1 };
const clientIdentity: PeerIdentity = { name: "client", cluster: null, nodeId: null };

async function fixture(): Promise<TransportFixture> {
  const network = createMemoryNetwork(realScheduler, realClock);
  return {
    server: createMemoryTransport(network, { host: "server", identity: serverIdentity }),
    client: createMemoryTransport(network, { host: "client", identity: clientIdentity }),
    listenAddress: "server:0",
    unreachableAddress: "nobody:1",
    stranger: {
      transport: createMemoryTransport(network, {
        host: "stranger",
        identity: { name: "stranger", cluster: null, nodeId: null },
        identify: () => ({ accepted: false, reason: refusalReason }),
      }),
      listenAddress: "stranger:0",
    },
    serverIdentity,
    clientIdentity,
  };
}

describe("the in-memory transport keeps the transport contract", () => {
  for (const { name, run } of testTransport("memory", fixture, {
    scheduler: realScheduler,
    waitMs: 2_000,
    quietMs: 20,
    connectTimeoutMs: 100,
  })) {
    test(name, run);
  }
});
