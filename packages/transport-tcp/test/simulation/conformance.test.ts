import type { Identify } from "@octopii/interfaces";
import { createSimulation, type World } from "@octopii/testing";
import { refusalReason, testTransport } from "@octopii/testing/transport-conformance";
import { describe, expect, it } from "vitest";
import { createTcpTransport } from "../../src/index.js";
import { createCluster, optionsOf } from "../support.js";
import { type Conditions, SimulatedTls } from "./simulated-tls.js";

const cluster = await createCluster("simulated");
const options = await Promise.all([1, 2, 3].map((id) => optionsOf(cluster, id)));
const identity = (id: number) => ({ name: `node-${id}`, cluster: cluster.name, nodeId: id });
const refuseAll: Identify = () => ({ accepted: false, reason: refusalReason });

/** The session logic alone: frames, credit, streams, limits and closes, in simulated time on simulated sockets. */
function suite(world: World, network: Conditions, waitMs: number) {
  const tls = new SimulatedTls(world.random.fork("tcp"), network);
  const make = (name: string, id: number, identify?: Identify) => {
    const { clock, scheduler, random } = world.process(name);
    const own = options[id - 1];
    if (own === undefined) throw new Error(`node ${id} has no certificate`);
    const sockets = tls.at({ clock, scheduler }, name);
    return createTcpTransport({ ...own, ...(identify === undefined ? {} : { identify }) }, { clock, scheduler, random, sockets });
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
  return testTransport("simulated TCP", factory, {
    scheduler: world.scheduler(),
    waitMs,
    quietMs: waitMs / 4,
    connectTimeoutMs: 300,
    largeBytes: 1024 * 1024,
    streamCount: 300,
  });
}

const calm: Conditions = { meanDelayMs: 0.2, stallOneIn: 1_000_000, cutOneIn: 1_000_000 };
const conditions: Readonly<Record<string, Conditions & { readonly waitMs: number }>> = {
  calm: { ...calm, waitMs: 2_000 },
  rough: { meanDelayMs: 2, stallOneIn: 50, cutOneIn: 2, waitMs: 60_000 },
};
const names = suite(createSimulation({ seed: 0 }), calm, 1).map(({ name }) => name);
const seeds = [0, 1, 2];

for (const [condition, { waitMs, ...network }] of Object.entries(conditions)) {
  describe(`the TCP session logic on a ${condition} simulated network keeps the transport contract`, () => {
    for (const [index, name] of names.entries()) {
      it(name, async () => {
        for (const seed of seeds) {
          const world = createSimulation({ seed: `${condition}/${index}/${seed}` });
          const run = suite(world, network, waitMs)[index]?.run ?? (() => Promise.reject(new Error("the suite has changed")));
          await expect(world.runUntilSettled(run()), `seed ${seed}`).resolves.toBeUndefined();
        }
      });
    }
  });
}
