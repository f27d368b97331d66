import { createSimulation, type World } from "@octopii/testing";
import { openWalrus, prepareWalrus, type Walrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { counter, counterClient, type Node, Rejection, type StateMachine, type WalBacked, walBacked } from "../../src/index.js";
import { bytes, members, nodeIn, start, text } from "../support/cluster.js";

beforeAll(() => prepareWalrus());

const at = (index: number) => ({ index, term: 1 });

function wal(world: World): Promise<Walrus> {
  const { fileSystem, scheduler } = world.process("lab");
  return openWalrus({ directory: "/own", segmentBytes: 64 * 1024 }, { fileSystem, scheduler });
}

async function reopened(world: World): Promise<{ machine: WalBacked; log: Walrus }> {
  const log = await wal(world);
  return { machine: await walBacked(counter(), log), log };
}

const value = (machine: StateMachine): string | null => text(machine.query(new Uint8Array(0)));

describe("a state machine with a log of its own", () => {
  it("comes back from it, and applies nothing twice", async () => {
    const world = createSimulation({ seed: 1 });
    const run = async (): Promise<void> => {
      const first = await reopened(world);
      expect(text(first.machine.apply(bytes("5"), at(1)))).toBe("5");
      expect(() => first.machine.apply(bytes("many"), at(2))).toThrow(Rejection);
      first.machine.query(new Uint8Array(0));
      first.machine.apply(bytes("2"), at(3));
      await first.machine.flush();
      expect(first.log.count("state-machine")).toBe(2);
      await first.log.close();
      const { machine, log } = await reopened(world);
      expect([value(machine), machine.appliedIndex]).toEqual(["7", 3]);
      // Raft gives all of it again.
      for (const [i, command] of ["5", "many", "2"].entries()) machine.apply(bytes(command), at(i + 1));
      expect(value(machine)).toBe("7");
      expect(text(machine.apply(bytes("1"), at(4)))).toBe("8");
      await machine.flush();
      await log.close();
    };
    await world.runUntilSettled(run());
  });

  it("is shortened to a snapshot and what came after, also after a crash between the two", async () => {
    const world = createSimulation({ seed: 2 });
    const run = async (): Promise<void> => {
      const { machine, log } = await reopened(world);
      for (let i = 1; i <= 100; i++) machine.apply(bytes("1"), at(i));
      const compacted = machine.compact?.(100);
      for (let i = 101; i <= 110; i++) machine.apply(bytes("1"), at(i));
      await compacted;
      await machine.flush();
      expect(log.count("state-machine")).toBeLessThanOrEqual(13);
      await log.close();
      const second = await reopened(world);
      expect([value(second.machine), second.machine.appliedIndex]).toEqual(["110", 110]);
      // A snapshot that never came to its end counts for nothing.
      const { encodeRecord } = await import("../../src/state-machine/journal.js");
      await second.log.append("state-machine", encodeRecord("begin", 900));
      await second.log.append("state-machine", encodeRecord("chunk", 0, bytes("900")));
      second.machine.apply(bytes("1"), at(111));
      await second.machine.flush();
      await second.log.close();
      const third = await reopened(world);
      expect([value(third.machine), third.machine.appliedIndex]).toEqual(["111", 111]);
      await third.log.close();
    };
    await world.runUntilSettled(run());
  });

  it("takes a snapshot that goes further, keeps it, and leaves one that does not", async () => {
    const world = createSimulation({ seed: 3 });
    const run = async (): Promise<void> => {
      const ahead = await reopened(world);
      for (let i = 1; i <= 9; i++) ahead.machine.apply(bytes("10"), at(i));
      const chunks: Uint8Array[] = [];
      for await (const chunk of ahead.machine.snapshot?.() ?? []) chunks.push(chunk);
      await ahead.log.truncateFront("state-machine", 10);
      await ahead.log.close();
      const again = async function* () {
        yield* chunks;
      };
      const behind = await reopened(world);
      behind.machine.apply(bytes("10"), at(1));
      await behind.machine.restore?.(again());
      expect([value(behind.machine), behind.machine.appliedIndex]).toEqual(["90", 9]);
      behind.machine.apply(bytes("1"), at(10));
      await behind.machine.restore?.(again());
      expect(value(behind.machine)).toBe("91");
      await behind.machine.flush();
      await behind.log.close();
      const back = await reopened(world);
      expect([value(back.machine), back.machine.appliedIndex]).toEqual(["91", 10]);
      await back.log.close();
    };
    await world.runUntilSettled(run());
  });

  it("throws at the next command when its log fails", async () => {
    const world = createSimulation({ seed: 4 });
    const run = async (): Promise<void> => {
      const { machine, log } = await reopened(world);
      await log.close();
      machine.apply(bytes("1"), at(1));
      await expect(machine.flush()).rejects.toMatchObject({ code: "OCTOPII_WALRUS_CLOSED" });
      expect(() => machine.apply(bytes("1"), at(2))).toThrow("own log has failed");
    };
    await world.runUntilSettled(run());
  });

  it("serves a node, is compacted with Raft's log, and comes back with it", async () => {
    const tuning = { snapshotEntries: 10, tailEntries: 2 };
    const cluster = await start(80, counter, tuning);
    const { world } = cluster;
    const machineOn = async (id: number): Promise<{ node: Node; machine: WalBacked; log: Walrus }> => {
      const process = world.process(`n${id}`);
      process.kill();
      const own = process.restart();
      const { fileSystem, scheduler } = own;
      const log = await world.runUntilSettled(openWalrus({ directory: "/own" }, { fileSystem, scheduler }));
      const machine = await world.runUntilSettled(walBacked(counter(), log));
      return { node: nodeIn(own, id, machine, [], tuning), machine, log };
    };
    const all: { node: Node; machine: WalBacked; log: Walrus }[] = [];
    for (const { id } of members) all.push(await machineOn(id));
    await world.runUntilSettled(Promise.all(all.map(({ node }) => node.start())));
    await world.runUntil(() => all.some(({ node }) => node.isLeader));
    const [first, second] = all as [(typeof all)[0], (typeof all)[0]];
    const client = counterClient(second.node);
    for (let i = 0; i < 40; i++) await world.runUntilSettled(client.add(1));
    await world.runUntil(() => value(first.machine) === "40" && first.node.status().compactedIndex > 20);
    await world.runFor(1_000);
    await world.runUntilSettled(first.machine.flush());
    expect(first.log.count("state-machine")).toBeLessThan(35);
    const again = await machineOn(1);
    // Before the node has started, and so before it has heard from anybody.
    expect(value(again.machine)).toBe("40");
    await world.runUntilSettled(again.node.start());
    await world.runUntilSettled(client.add(2));
    await world.runUntil(() => value(again.machine) === "42");
  });
});

describe("a counter", () => {
  it("counts on every replica, exactly, and refuses what it cannot hold", async () => {
    const machines = [counter(), counter(), counter()];
    let next = 0;
    const { world, leader, follower } = await start(81, () => machines[next++] as StateMachine);
    const client = counterClient(follower());
    expect(await world.runUntilSettled(client.add(5))).toBe(5);
    expect(await world.runUntilSettled(client.add(-7))).toBe(-2);
    for (const amount of [0.5, Number.NaN, 2 ** 53]) {
      await expect(world.runUntilSettled(client.add(amount))).rejects.toBeInstanceOf(Rejection);
    }
    await world.runUntilSettled(client.add(Number.MAX_SAFE_INTEGER));
    await expect(world.runUntilSettled(client.add(3))).rejects.toThrow("cannot hold");
    expect(await world.runUntilSettled(counterClient(leader()).value())).toBe(Number.MAX_SAFE_INTEGER - 2);
    await world.runUntil(() => machines.every((machine) => machine.value === Number.MAX_SAFE_INTEGER - 2));
  });
});
