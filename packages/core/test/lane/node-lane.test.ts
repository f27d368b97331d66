import { createShippingLane, type OfferHandler } from "@octopii/shipping-lane";
import { createSimulation, type SimulatedProcess, type World } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { createNode, keyValueClient, keyValueStore, type Node, type NodeParts } from "../../src/index.js";
import { bytes, identityOf, members, text } from "../support/cluster.js";

beforeAll(() => prepareWalrus());

const MiB = 1024 * 1024;
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

interface Cluster {
  readonly world: World;
  readonly processes: readonly SimulatedProcess[];
  readonly nodes: readonly Node[];
  node(id: number): Node;
  wait<Value>(work: Promise<Value>): Promise<Value>;
}

const intoInbox: OfferHandler = async (offer) => {
  await offer.saveTo(`/inbox/${offer.name}`);
};

async function start(seed: number, parts: Partial<NodeParts> = { onOffer: intoInbox }): Promise<Cluster> {
  const world = createSimulation({ seed });
  const processes = members.map(({ id }) => world.process(`n${id}`, identityOf(id)));
  const nodes = processes.map(({ clock, scheduler, random, fileSystem, transport }, i) =>
    createNode(
      { id: i + 1, cluster: "test", directory: "/data", members, tickMs: 20 },
      { stateMachine: keyValueStore(), clock, scheduler, random, fileSystem, transport, ...parts },
    ),
  );
  const wait = <Value>(work: Promise<Value>): Promise<Value> => world.runUntilSettled(work);
  await wait(Promise.all(processes.map(({ fileSystem }) => fileSystem.makeDirectory("/inbox"))));
  await wait(Promise.all(nodes.map((node) => node.start())));
  await world.runUntil(() => nodes.every((node) => node.status().leaderId !== 0));
  return { world, processes, nodes, node: (id) => nodes[id - 1] as Node, wait };
}

const pattern = (length: number): Uint8Array => new Uint8Array(length).map((_, at) => (at * 31) >> 3);

describe("a node's shipping lane", () => {
  it("takes a file from any member to any other, beside Raft on the same connections", async () => {
    const { world, processes, node, nodes, wait } = await start(1);
    const content = pattern(300_000);
    const [first] = processes as [SimulatedProcess];
    const file = await wait(first.fileSystem.open("/report", { mode: "create" }));
    await wait(file.write([content], 0));
    const kv = keyValueClient(node(2));
    const [result] = await wait(Promise.all([node(1).shippingLane.sendFile(3, "/report"), kv.put("a", bytes("b"))]));
    expect(result).toMatchObject({ name: "report", bytes: 300_000, peer: { name: "n3", nodeId: 3 } });
    expect(processes[2]?.disk.readDurable("/inbox/report")?.length).toBe(300_000);
    for (const [from, to] of [
      [2, 1],
      [3, 2],
      [2, 3],
      [3, 1],
      [1, 2],
    ] as const) {
      const sent = await wait(node(from).shippingLane.sendBytes(to, content, { name: `${from}-${to}` }));
      expect(sent.peer.nodeId).toBe(to);
    }
    expect(text(await wait(kv.get("a")))).toBe("b");
    expect(nodes.map((one) => one.shippingLane.stats().sent)).toEqual([2, 2, 2]);
    await wait(Promise.all(nodes.map((one) => one.close())));
    expect(world.now()).toBeLessThan(60_000);
  });

  it("goes on while the cluster works, and does not unseat its leader", async () => {
    const { nodes, node, wait } = await start(2);
    const leader = nodes.find((one) => one.status().role === "leader") as Node;
    const { term } = leader.status();
    const other = leader.id === 1 ? 2 : 1;
    const kv = keyValueClient(node(other));
    const sending = leader.shippingLane.sendBytes(other, pattern(10 * MiB), { name: "large" });
    let writes = 0;
    let isOver = false;
    const over = sending.then(() => {
      isOver = true;
    });
    const write = async (): Promise<void> => {
      while (!isOver) {
        await kv.put(`k${writes % 10}`, bytes(`${writes}`));
        writes += 1;
      }
    };
    await wait(Promise.all([over, write()]));
    expect(writes).toBeGreaterThan(10);
    expect(leader.status()).toMatchObject({ role: "leader", term });
  });

  it("hands a client's files to the application, which sees who it is; and refuses all without one", async () => {
    const offers: string[] = [];
    const onOffer: OfferHandler = async (offer) => {
      offers.push(`${offer.name} of ${offer.peer.name} (${String(offer.peer.nodeId)})`);
      if (offer.peer.nodeId === null) offer.refuse("members only.");
      else await offer.toMemory();
    };
    const { world, wait, node } = await start(3, { onOffer });
    const { transport, clock, scheduler, random, fileSystem } = world.process("visitor", {
      identity: { name: "visitor", cluster: "test", nodeId: null },
    });
    const lane = createShippingLane({ clock, scheduler, random, fileSystem });
    const connection = await wait(transport.connect("n1:7000"));
    expect(await wait(errorOf(lane.sendBytes(connection, pattern(9), { name: "x" })))).toMatchObject({
      code: "OCTOPII_LANE_REFUSED",
      message: "n1 did not take the transfer: members only.",
    });
    await wait(node(2).shippingLane.sendBytes(1, pattern(9), { name: "y" }));
    expect(offers).toEqual(["x of visitor (null)", "y of n2 (2)"]);

    const silent = await start(4, {});
    expect(await silent.wait(errorOf(silent.node(1).shippingLane.sendBytes(2, pattern(9), { name: "z" })))).toMatchObject({
      code: "OCTOPII_LANE_REFUSED",
    });
  });

  it("waits for a connection to a member that is on its way, and says when there is none", async () => {
    const { wait, node, processes, world } = await start(5);
    const nobody = errorOf(node(1).shippingLane.sendBytes(9, pattern(9), { name: "x", connectTimeoutMs: 300 }));
    expect(await wait(nobody)).toMatchObject({ code: "OCTOPII_CORE_UNAVAILABLE", outcome: "failed" });
    processes[2]?.kill();
    await world.runFor(30_000);
    const sending = node(1).shippingLane.sendBytes(3, pattern(9), { name: "late", connectTimeoutMs: 60_000 });
    await world.runFor(1_000);
    const back = processes[2]?.restart() as SimulatedProcess;
    const { clock, scheduler, random, fileSystem, transport } = back;
    const again = createNode(
      { id: 3, cluster: "test", directory: "/data", members, tickMs: 20 },
      { stateMachine: keyValueStore(), clock, scheduler, random, fileSystem, transport, onOffer: intoInbox },
    );
    await wait(again.start());
    expect(await wait(sending)).toMatchObject({ bytes: 9 });
    const controller = new AbortController();
    const cancelled = errorOf(node(1).shippingLane.sendBytes(9, pattern(9), { name: "x", signal: controller.signal }));
    controller.abort("never mind");
    expect(await wait(cancelled)).toBe("never mind");
  });

  it("ends with its node: what is under way is given up on both sides, and nothing unfinished stays", async () => {
    const { wait, node, processes, world } = await start(6);
    const sending = errorOf(node(1).shippingLane.sendBytes(2, pattern(10 * MiB), { name: "x" }));
    await world.runFor(20);
    expect(node(2).shippingLane.stats().receiving).toBe(1);
    await wait(node(2).close());
    expect(await wait(sending)).toMatchObject({ code: expect.stringMatching(/OCTOPII_LANE_(CLOSED|DISCONNECTED)/) });
    expect(await wait(processes[1]?.fileSystem.readDirectory("/inbox") ?? Promise.resolve(null))).toEqual([]);
    expect(await wait(errorOf(node(2).shippingLane.sendBytes(1, pattern(1), { name: "x" })))).toMatchObject({
      code: "OCTOPII_CORE_NOT_RUNNING",
    });
    // A node that was never started closes as well.
    const { clock, scheduler, random, fileSystem } = world.process("n4");
    const options = { id: 1, cluster: "test", directory: "/other", members };
    const idle = createNode(options, {
      stateMachine: keyValueStore(),
      clock,
      scheduler,
      random,
      fileSystem,
      transport: world.process("n4").transport,
    });
    expect(await wait(errorOf(idle.shippingLane.sendBytes(2, pattern(1), { name: "x" })))).toMatchObject({
      code: "OCTOPII_CORE_NOT_RUNNING",
    });
    await wait(idle.close());
  });

  it("has its limits checked with the node's options", () => {
    const world = createSimulation({ seed: 7 });
    const { transport } = world.process("n1", identityOf(1));
    const make = () =>
      createNode(
        { id: 1, cluster: "test", directory: "/data", members, shippingLane: { chunkBytes: 1 } },
        { stateMachine: keyValueStore(), transport },
      );
    expect(make).toThrow(/shippingLane: chunkBytes must be an integer from 1024 to 4194304, not 1/);
  });
});
