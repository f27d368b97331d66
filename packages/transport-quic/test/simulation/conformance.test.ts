import type { Identify } from "@octopii/interfaces";
import { createSimulation, type SimulationOptions, type World } from "@octopii/testing";
import { refusalReason, testTransport } from "@octopii/testing/transport-conformance";
import { describe, expect, it } from "vitest";
import { createQuicTransport } from "../../src/index.js";
import { createCluster, optionsOf } from "../support.js";
import { fakeEngine } from "./fake-engine.js";
import { simulatedSockets } from "./simulated-sockets.js";

const cluster = await createCluster("simulated");
const options = await Promise.all([1, 2, 3].map((id) => optionsOf(cluster, id)));
const identity = (id: number) => ({ name: `node-${id}`, cluster: cluster.name, nodeId: id });
const refuseAll: Identify = () => ({ accepted: false, reason: refusalReason });

/** The session logic alone: dialing, Retry, routing, limits and streams, with a fake engine, in simulated time on a simulated network. */
function suite(world: World, waitMs: number) {
  const make = (name: string, id: number, identify?: Identify) => {
    const process = world.process(name);
    const { clock, scheduler, random } = process;
    const own = options[id - 1];
    if (own === undefined) throw new Error(`node ${id} has no certificate`);
    return createQuicTransport(
      { ...own, ...(identify === undefined ? {} : { identify }) },
      { clock, scheduler, random, sockets: simulatedSockets(process.datagrams), loadEngine: () => Promise.resolve(fakeEngine(clock)) },
    );
  };
  const factory = async () => ({
    server: make("server", 1),
    client: make("client", 2),
    listenAddress: "server:0",
    unreachableAddress: "nobody:1",
    stranger: { transport: make("stranger", 3, refuseAll), listenAddress: "stranger:0" },
    serverIdentity: identity(1),
    clientIdentity: identity(2),
  });
  return testTransport("simulated QUIC", factory, {
    scheduler: world.scheduler(),
    waitMs,
    quietMs: waitMs / 4,
    connectTimeoutMs: 300,
    largeBytes: 1024 * 1024,
    streamCount: 300,
  });
}

const conditions: Readonly<Record<string, Omit<SimulationOptions, "seed"> & { readonly waitMs: number }>> = {
  calm: { waitMs: 2_000 },
  rough: { waitMs: 60_000, network: { minDelayMs: 1, meanDelayMs: 5, lossPerMillion: 20_000, duplicatePerMillion: 20_000 } },
};
const names = suite(createSimulation({ seed: 0 }), 1).map(({ name }) => name);

for (const [condition, { waitMs, ...simulation }] of Object.entries(conditions)) {
  describe(`the QUIC session logic on a ${condition} simulated network keeps the transport contract`, () => {
    for (const [index, name] of names.entries()) {
      it(name, async () => {
        const world = createSimulation({ seed: `${condition}/${index}`, ...simulation });
        const run = suite(world, waitMs)[index]?.run ?? (() => Promise.reject(new Error("the suite has changed")));
        await expect(world.runUntilSettled(run())).resolves.toBeUndefined();
      });
    }
  });
}
