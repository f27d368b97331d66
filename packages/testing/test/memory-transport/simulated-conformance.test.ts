import { describe, expect, test } from "vitest";
import { createSimulation, type SimulationOptions, type World } from "../../src/index.js";
import { refusalReason, testTransport } from "../../src/transport-conformance/index.js";

const serverIdentity = { name: "server", cluster: "simulated", nodeId: 1 };
const clientIdentity = { name: "client", cluster: "simulated", nodeId: 2 };

/** The suite in a simulated world: the same cases, with virtual waits, so generous ones cost nothing. */
function suite(world: World, waitMs: number) {
  const factory = async () => ({
    server: world.process("server", { identity: serverIdentity }).transport,
    client: world.process("client", { identity: clientIdentity }).transport,
    listenAddress: "server:0",
    unreachableAddress: "nobody:1",
    stranger: {
      transport: world.process("stranger", { identify: () => ({ accepted: false, reason: refusalReason }) }).transport,
      listenAddress: "stranger:0",
    },
    serverIdentity,
    clientIdentity,
  });
  return testTransport("simulated", factory, { scheduler: world.scheduler(), waitMs, quietMs: waitMs / 4, connectTimeoutMs: 300 });
}

/** On a calm network waits are shorter than the transport's own timers, so that nothing may hang until one of them wakes it. */
const conditions: Readonly<Record<string, Omit<SimulationOptions, "seed"> & { readonly waitMs: number }>> = {
  calm: { waitMs: 1_000 },
  rough: { waitMs: 60_000, network: { minDelayMs: 1, meanDelayMs: 5, lossPerMillion: 50_000, duplicatePerMillion: 50_000 } },
};
const names = suite(createSimulation({ seed: 0 }), 1).map(({ name }) => name);

for (const [condition, { waitMs, ...options }] of Object.entries(conditions)) {
  describe(`the in-memory transport on a ${condition} simulated network keeps the transport contract`, () => {
    for (const [index, name] of names.entries()) {
      test(name, async () => {
        const world = createSimulation({ seed: `${condition}/${index}`, ...options });
        const run = suite(world, waitMs)[index]?.run ?? (() => Promise.reject(new Error("the suite has changed")));
        // A world of its own per case: the run ends when the case does, whatever it left behind.
        await expect(world.runUntilSettled(run())).resolves.toBeUndefined();
      });
    }
  });
}
