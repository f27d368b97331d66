import { type AddressInfo, createServer, type Server } from "node:net";
import { systemScheduler } from "@octopii/system";
import { refusalReason, testTransport } from "@octopii/testing/transport-conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createTcpTransport } from "../src/index.js";
import { createCluster, optionsOf } from "./support.js";

const cluster = await createCluster("contract");
const identity = (id: number) => ({ name: `node-${id}`, cluster: cluster.name, nodeId: id });
const make = async (id: number) => createTcpTransport(await optionsOf(cluster, id));

// It accepts and never says a word.
const mute: Server = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.resume();
});
beforeAll(() => new Promise<void>((resolve) => void mute.listen(0, "127.0.0.1", resolve)));
afterAll(() => void mute.close());

const refuseAll = () => ({ accepted: false as const, reason: refusalReason });

const cases = testTransport(
  "tcp",
  async () => ({
    server: await make(1),
    client: await make(2),
    listenAddress: "127.0.0.1:0",
    unreachableAddress: `127.0.0.1:${(mute.address() as AddressInfo).port}`,
    stranger: {
      transport: createTcpTransport({ ...(await optionsOf(cluster, 3)), identify: refuseAll }),
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
