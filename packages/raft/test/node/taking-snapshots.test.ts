import { describe, expect, it } from "vitest";
import { createMemoryKeyValue } from "../../src/conformance/index.js";
import type { RaftNodeOptions, SnapshotStorage } from "../../src/index.js";
import { Group, type Member, outcomeOf, set } from "./group.js";

/** One lone voter, and 20 keys. Nothing is taken by itself, unless the options say so. */
async function loneVoter(options: RaftNodeOptions = {}): Promise<{ group: Group; member: Member }> {
  const group = await Group.open({ voters: [1], options: { snapshotEntries: 0, snapshotBytes: 0, tailEntries: 5, ...options } });
  const member = await group.elect(1);
  for (let at = 0; at < 20; at++) await group.settled(member.node.propose(set(`key ${at}`)));
  return { group, member };
}

/** Keys and values as a restart would find them in the newest snapshot. */
async function stored(member: Member): Promise<{ index: number; get: (key: string) => string | null }> {
  const index = (await member.snapshots.list(0)).at(-1)?.index ?? 0;
  const machine = createMemoryKeyValue();
  await machine.restore(member.snapshots.read(0, index));
  return { index, get: (key) => machine.get(key) };
}

const indexes = async (member: Member): Promise<number[]> => (await member.snapshots.list(0)).map(({ index }) => index);

describe("a snapshot on demand", () => {
  it("is of the state at this moment, and the log is compacted behind it, but for its tail", async () => {
    const { group, member } = await loneVoter();
    const taken = await group.settled(member.node.snapshot());
    expect(taken).toEqual({ index: 21, term: 1, configuration: member.node.status().configuration });
    await group.pass(2);
    expect(member.node.status()).toMatchObject({ snapshotIndex: 21, compactedIndex: 16, lastIndex: 21 });
    expect(await member.log.load(0)).toMatchObject({ compactedIndex: 16, lastIndex: 21 });
    expect((await stored(member)).get("key 19")).toBe("key 19");
    await group.close();
  });

  it("is the same one for all who ask while it is being taken, and for who asks again before anything new was applied", async () => {
    const { group, member } = await loneVoter({ snapshotBytesPerSecond: 2_000 });
    let asked = 0;
    const snapshot = member.machine.snapshot;
    member.machine.snapshot = () => {
      asked++;
      return snapshot.call(member.machine);
    };
    const first = member.node.snapshot();
    await group.pass(5);
    await group.settled(member.node.propose(set("later")));
    const second = member.node.snapshot();
    expect(await group.settled(second)).toEqual(await group.settled(first));
    expect(asked).toBe(1);
    expect((await stored(member)).get("later")).toBeNull();
    expect((await group.settled(member.node.snapshot())).index).toBe(22);
    expect((await group.settled(member.node.snapshot())).index).toBe(22);
    expect(asked).toBe(2);
    await group.close();
  });

  it("is refused where there is nothing to take, no place for it, or no way", async () => {
    const refused = { code: "OCTOPII_RAFT_SNAPSHOT_FAILED", outcome: "failed" };
    const empty = await Group.open();
    expect(await empty.settled(outcomeOf(empty.member(1).node.snapshot()))).toMatchObject(refused);
    await empty.close();
    const ways: Parameters<Group["start"]>[2][] = [
      ({ storage, network, stateMachine, clock, scheduler, random }) => ({
        ...{ storage, network, stateMachine, clock, scheduler, random },
        snapshots: undefined as unknown as SnapshotStorage,
      }),
      ({ stateMachine }) => ({ stateMachine: { apply: (commands) => stateMachine.apply(commands) } }),
    ];
    for (const way of ways) {
      const group = new Group({ voters: [1] });
      const member = await group.start(1, {}, way);
      await group.elect(1);
      expect(await group.settled(outcomeOf(member.node.snapshot()))).toMatchObject(refused);
      expect(member.node.stoppedBy).toBeNull();
      await group.close();
    }
  });

  it("leaves no older ones behind, also where the log keeps all of its entries", async () => {
    const { group, member } = await loneVoter({ tailEntries: 1_000 });
    for (let round = 0; round < 4; round++) {
      await group.settled(member.node.propose(set("again", `${round}`)));
      await group.settled(member.node.snapshot());
      await group.pass(3);
    }
    expect(await indexes(member)).toEqual([25]);
    expect(member.node.status().compactedIndex).toBe(0);
    await group.close();
  });
});

describe("the policy", () => {
  it("takes one after so many entries", async () => {
    const { group, member } = await loneVoter({ snapshotEntries: 8, tailEntries: 2 });
    await group.pass(3);
    expect(await indexes(member)).toEqual([16]);
    expect(member.node.status().compactedIndex).toBe(14);
    await group.close();
  });

  it("takes one after so many bytes", async () => {
    const { group, member } = await loneVoter({ snapshotBytes: 20_000 });
    expect(await indexes(member)).toEqual([]);
    for (let at = 0; at < 3; at++) await group.settled(member.node.propose(set("large", "x".repeat(10_000))));
    await group.pass(3);
    expect(await indexes(member)).toEqual([23]);
    await group.close();
  });

  it("takes none by zeros", async () => {
    const { group, member } = await loneVoter();
    await group.write(member, 500);
    expect(await indexes(member)).toEqual([]);
    expect(member.node.status().compactedIndex).toBe(0);
    await group.close();
  });

  it("takes one at a time, and counts on meanwhile", async () => {
    const { group, member } = await loneVoter({ snapshotEntries: 10, snapshotBytesPerSecond: 4_000 });
    let reading = 0;
    let most = 0;
    const read = member.machine.snapshot;
    member.machine.snapshot = () => {
      const chunks = read.call(member.machine);
      return (async function* () {
        most = Math.max(most, ++reading);
        yield* chunks;
        reading--;
      })();
    };
    for (let at = 0; at < 300; at++) await group.settled(member.node.propose(set(`more ${at % 40}`)));
    await group.until(() => reading === 0);
    expect(most).toBe(1);
    expect(member.events.filter((event) => event.type === "snapshot" && event.phase === "available").length).toBeGreaterThan(1);
    await group.close();
  });
});

describe("while a snapshot is taken", () => {
  it("writes go on, and are not in it", async () => {
    const { group, member } = await loneVoter({ snapshotBytesPerSecond: 1_000 });
    const before = group.time.clock.now();
    let isTaken = false;
    const taken = member.node.snapshot().then((metadata) => {
      isTaken = true;
      return metadata;
    });
    await group.pass(2);
    for (let at = 0; at < 20; at++) {
      const asked = group.time.clock.now();
      await group.settled(member.node.propose(set(`key ${at}`, "changed")));
      expect(group.time.clock.now() - asked).toBeLessThanOrEqual(2);
    }
    expect(isTaken).toBe(false);
    const { index } = await group.settled(taken);
    expect(index).toBe(21);
    // 20 lines of some 18 bytes each, at a byte per millisecond.
    expect(group.time.clock.now() - before).toBeGreaterThan(200);
    const state = await stored(member);
    for (let at = 0; at < 20; at++) expect(state.get(`key ${at}`)).toBe(`key ${at}`);
    await group.close();
  });

  it("the state machine is asked only between two batches", async () => {
    let isApplying = false;
    const seen: boolean[] = [];
    const group = await Group.open({
      voters: [1],
      options: { snapshotEntries: 3, tailEntries: 0 },
      ports: (_id, { stateMachine, scheduler }) => ({
        stateMachine: {
          apply: async (commands) => {
            isApplying = true;
            await new Promise<void>((resolve) => void scheduler.setTimer(2, resolve));
            isApplying = false;
            return stateMachine.apply(commands);
          },
          snapshot: () => {
            seen.push(isApplying);
            return group.member(1).machine.snapshot();
          },
          restore: () => Promise.resolve(),
        },
      }),
    });
    const member = await group.elect(1);
    for (let at = 0; at < 20; at++) {
      void outcomeOf(member.node.propose(set(`key ${at}`)));
      await group.pass(1);
    }
    await group.settled(member.node.readIndex());
    await group.settled(member.node.snapshot());
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).not.toContain(true);
    const { index, get } = await stored(member);
    expect(get(`key ${index - 2}`)).toBe(`key ${index - 2}`);
    expect(get(`key ${index - 1}`)).toBeNull();
    await group.close();
  });
});
