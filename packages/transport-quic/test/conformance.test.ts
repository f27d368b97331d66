import { systemScheduler } from "@octopii/system";
import { refusalReason, testTransport } from "@octopii/testing/transport-conformance";
import { describe, it } from "vitest";
import { createQuicTransport } from "../src/index.js";
import { createCluster, optionsOf } from "./support.js";

const cluster = await createCluster("contract");
const identity = (id: number) => ({ name: `node-${id}`, cluster: cluster.name, nodeId: id });
const make = async (id: number) => createQuicTransport(await optionsOf(cluster, id));

const refuseAll = () => ({ accepted: false as const, reason: refusalReason });

const cases = testTransport(
  "quic",
  async () => ({
    server: await make(1),
    client: await make(2),
    listenAddress: "127.0.0.1:0",
    // The discard port of loopback: nobody answers there.
    unreachableAddress: "127.0.0.1:9",
    stranger: {
      transport: createQuicTransport({ ...(await optionsOf(cluster, 3)), identify: refuseAll }),
      listenAddress: "127.0.0.1:0",
    },
    serverIdentity: identity(1),
    clientIdentity: identity(2),
  }),
  { scheduler: systemScheduler },
);

describe("the transport contract", () => {
  for (const { name, run } of cases) it(name, run);
});
