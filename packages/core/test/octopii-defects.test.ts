import { createSimulation } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { createNode, type KeyValueStore, keyValueClient, keyValueStore, type Node, Rejection, type StateMachine } from "../src/index.js";
import { bytes, identityOf, members, nodeIn, start, text } from "./support/cluster.js";

/** Whole clusters in the very situations in which Octopii in Rust loses data, stops, or answers wrongly. docs/PARITY.md names each. */

beforeAll(() => prepareWalrus());

const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

/** A ledger of fifteen lines that is nobody's key-value store; it refuses what it cannot read, and breaks on nothing. */
function ledger(): StateMachine & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    apply: (command) => {
      const line = text(command) ?? "";
      if (line.startsWith("#")) throw new Rejection("No comments in the ledger.");
      lines.push(line);
      return bytes(String(lines.length));
    },
    query: () => bytes(lines.join("\n")),
    snapshot: async function* () {
      yield bytes(JSON.stringify(lines));
    },
    restore: async (chunks) => {
      let json = "";
      for await (const chunk of chunks) json += text(chunk);
      lines.splice(0, lines.length, ...(JSON.parse(json) as string[]));
    },
  };
}

describe("a state machine of one's own", () => {
  it("is replicated: every node holds what all of them were given, and answers from it", async () => {
    const made: ReturnType<typeof ledger>[] = [];
    const make = (): StateMachine => {
      const one = ledger();
      made.push(one);
      return one;
    };
    const { world, nodes } = await start(101, make);
    for (let i = 0; i < 30; i++) await world.runUntilSettled((nodes[i % 3] as Node).propose(bytes(`line ${i}`)));
    const expected = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    for (const node of nodes) {
      const answer = await world.runUntilSettled(node.query(bytes("")));
      expect(text(answer)?.split("\n")).toEqual(expected);
    }
    for (const { lines } of made) expect(lines).toEqual(expected);
  });

  it("that rejects a command is asked for it again by no restart: the result stands, and all go on", async () => {
    const { world, nodes, leader } = await start(102, ledger);
    await world.runUntilSettled(leader().propose(bytes("before")));
    expect(await world.runUntilSettled(caught(leader().propose(bytes("# poison"))))).toMatchObject({ code: "OCTOPII_CORE_REJECTED" });
    await world.runUntilSettled(Promise.all(nodes.map((node) => node.close())));
    const again = members.map(({ id }) => {
      const process = world.process(`n${id}`);
      process.kill();
      const machine = ledger();
      return { machine, node: nodeIn(process.restart(), id, machine) };
    });
    await world.runUntilSettled(Promise.all(again.map(({ node }) => node.start())));
    await world.runUntil(() => again.some(({ node }) => node.status().role === "leader"));
    await world.runUntilSettled((again[0] as { node: Node }).node.propose(bytes("after")));
    await world.runUntil(() => again.every(({ machine }) => machine.lines.length === 2));
    for (const { machine } of again) expect(machine.lines).toEqual(["before", "after"]);
  });
});

it("a query changes nothing, whatever bytes it is given: a command among them is refused", async () => {
  const stores: KeyValueStore[] = [];
  const { world, nodes, leader } = await start(103, () => {
    const store = keyValueStore();
    stores.push(store);
    return store;
  });
  let command: Uint8Array | null = null;
  const kept = {
    propose: (bytes: Uint8Array) => {
      command = bytes;
      return Promise.resolve(new Uint8Array(1));
    },
    query: () => Promise.resolve(new Uint8Array(1)),
  };
  await keyValueClient(kept as never)
    .put("k", bytes("changed"))
    .catch(() => undefined);
  await world.runUntilSettled(keyValueClient(leader()).put("k", bytes("original")));
  for (const node of nodes) {
    for (const consistency of ["linearizable", "stale"] as const) {
      expect(command).not.toBeNull();
      await world.runUntilSettled(caught(node.query((command ?? bytes("")).slice(), { consistency })));
    }
    expect(text(await world.runUntilSettled(keyValueClient(node).get("k")))).toBe("original");
  }
  expect(stores.map((store) => store.entries().map(([key, value]) => [key, text(value)]))).toEqual(Array(3).fill([["k", "original"]]));
});

describe("a snapshot", () => {
  const tuning = { snapshotEntries: 50, tailEntries: 5, logSegmentBytes: 16 * 1024 };
  const value = (i: number): string => `value ${i} ${"x".repeat(200)}`;
  const write = async (cluster: Awaited<ReturnType<typeof start>>, from: number, to: number): Promise<void> => {
    const kv = keyValueClient(cluster.leader());
    for (let i = from; i < to; i++) await cluster.world.runUntilSettled(kv.put(`key ${i % 150}`, bytes(value(i))));
  };
  const contentsOf = (store: KeyValueStore): (string | null)[][] => store.entries().map(([key, bytesOf]) => [key, text(bytesOf)]);
  const expected = Array.from({ length: 150 }, (_, i) => [`key ${i}`, value(i + 150)]).sort(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1));

  it("carries every value to a node that was wiped, and to one that restarts after it", async () => {
    const cluster = await start(104, keyValueStore, tuning);
    const { world, nodes, leader } = cluster;
    await write(cluster, 0, 150);
    const wiped = nodes.find((node) => node !== leader()) as Node;
    // Its id has promised what its disk has forgotten, so it comes back as somebody else.
    world.process(`n${wiped.id}`).crash();
    await write(cluster, 150, 300);
    const fresh = keyValueStore();
    const newcomer = { id: 4, address: "n4:7000" };
    const join = { ...tuning, join: true, members: [...members, newcomer] };
    const node = nodeIn(world.process("n4", identityOf(4)), 4, fresh, [], join);
    await world.runUntilSettled(node.start());
    await world.runUntilSettled(leader().replaceMember(wiped.id, 4, newcomer.address));
    await world.runUntil(() => fresh.size === 150 && node.status().appliedIndex >= leader().status().commitIndex);
    expect(contentsOf(fresh)).toEqual(expected);
    expect(node.status().compactedIndex).toBeGreaterThan(100);
    const survivor = nodes.find((each) => each !== wiped && each !== leader()) as Node;
    await world.runUntilSettled(survivor.close());
    world.process(`n${survivor.id}`).kill();
    const store = keyValueStore();
    const restarted = nodeIn(world.process(`n${survivor.id}`).restart(), survivor.id, store, [], tuning);
    await world.runUntilSettled(restarted.start());
    await world.runUntil(() => restarted.status().appliedIndex >= leader().status().commitIndex);
    expect(contentsOf(store)).toEqual(expected);
  });

  it("lets the log shrink: its files stay few, however much is written", async () => {
    const cluster = await start(105, keyValueStore, tuning);
    const { world, leader } = cluster;
    const segments = (): number =>
      [...world.process(`n${leader().id}`).disk.durableImage().keys()].filter((path) => path.endsWith(".wal")).length;
    let most = 0;
    for (let round = 0; round < 10; round++) {
      await write(cluster, round * 100, round * 100 + 100);
      most = Math.max(most, segments());
    }
    // 1,000 entries of some 250 bytes would fill more than 15 segments.
    expect(most).toBeLessThan(8);
    expect(leader().status().compactedIndex).toBeGreaterThan(900);
  });
});

it("ids are whatever the founders say, far apart and on one port, and a node that nobody listed is found by what the log says of it", async () => {
  const odd = [7, 1_000_017, Number.MAX_SAFE_INTEGER].map((id) => ({ id, address: `n${id}:7000` }));
  const world = createSimulation({ seed: 106 });
  const nodes = odd.map(({ id }) => {
    const { clock, scheduler, random, fileSystem, transport } = world.process(`n${id}`, identityOf(id));
    const ports = { clock, scheduler, random, fileSystem, transport };
    return createNode({ id, cluster: "test", directory: "/data", members: odd, tickMs: 20 }, { stateMachine: keyValueStore(), ...ports });
  });
  await world.runUntilSettled(Promise.all(nodes.map((node) => node.start())));
  await world.runUntil(() => nodes.some((node) => node.status().role === "leader"));
  const [first] = nodes as [Node];
  await world.runUntilSettled(keyValueClient(first).put("k", bytes("v")));
  const leader = nodes.find((node) => node.status().role === "leader") as Node;
  const newcomer = { id: 99, address: "n99:7000" };
  // It knows of one member only; the others it learns from the log.
  const known = [newcomer, odd.find(({ id }) => id === leader.id) as (typeof odd)[0]];
  const late = nodeIn(world.process("n99", identityOf(99)), 99, keyValueStore(), [], { join: true, members: known });
  await world.runUntilSettled(late.start());
  await world.runUntilSettled(leader.addVoter(99, newcomer.address));
  expect(text(await world.runUntilSettled(keyValueClient(late).get("k")))).toBe("v");
  await world.runUntil(() => nodes.every((node) => node.status().members.length === 4));
  for (const node of nodes) expect(node.status().members.find(({ id }) => id === 99)).toMatchObject({ address: "n99:7000" });
  await world.runUntilSettled(leader.close());
  await world.runUntil(() => ![0, leader.id].includes(late.status().leaderId));
  await world.runUntilSettled(keyValueClient(late).put("k", bytes("without the only one that it knew"), { timeoutMs: 20_000 }));
});

it("a member that answers no dial holds nobody up: writes through both others take as long as before", async () => {
  const { world, nodes, leader } = await start(107);
  const dead = nodes.find((node) => node !== leader()) as Node;
  const timed = async (count: number): Promise<number> => {
    const startedAt = world.now();
    for (let i = 0; i < count; i++) {
      const through = nodes.filter((node) => node !== dead)[i % 2] as Node;
      await world.runUntilSettled(keyValueClient(through).put(`k${i}`, bytes("v")));
    }
    return world.now() - startedAt;
  };
  const before = await timed(50);
  // Packets to it vanish: each dial waits for its whole deadline.
  world.network.isolate(`n${dead.id}`);
  await world.runFor(5_000);
  const during = await timed(50);
  expect(during).toBeLessThan(2 * before + 50);
});
