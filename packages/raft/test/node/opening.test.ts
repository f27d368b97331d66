import { describe, expect, it } from "vitest";
import { createMemoryLogStorage, createMemorySnapshotStorage } from "../../src/conformance/index.js";
import type { Entry, HardState, SnapshotMetadata } from "../../src/index.js";
import { type ChangePorts, Group, type Member, outcomeOf, set, votersOf } from "./group.js";

const snapshotAt = (index: number, term = 1): SnapshotMetadata => ({ index, term, configuration: votersOf(1, 2, 3) });

const entries = (from: number, to: number, term = 1): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ index: from + at, term, kind: "command", data: set(`key ${from + at}`) }));

/** What a disk holds before the node opens. */
interface Contents {
  readonly compacted?: number;
  readonly last: number;
  readonly commit?: number;
  readonly snapshots?: readonly SnapshotMetadata[];
}

/** Opens node 1 on a disk with those contents. Each snapshot holds a key that tells its index. */
async function open(contents: Contents, ports: ChangePorts = () => ({})): Promise<{ group: Group; member: Member }> {
  const { compacted = 0, last, commit = 0, snapshots = [] } = contents;
  const hardState: HardState = { currentTerm: 1, votedFor: 0, commitIndex: commit };
  const group = new Group({});
  const log = createMemoryLogStorage();
  await log.append(0, hardState, entries(1, last));
  if (compacted > 0) await log.compact(0, compacted);
  const storage = createMemorySnapshotStorage();
  for (const metadata of snapshots) {
    const writer = await storage.create(0, metadata);
    await writer.write(new TextEncoder().encode(`${JSON.stringify(["snapshot", `${metadata.index}`])}\n`));
    await writer.commit();
  }
  const member = await group.start(1, {}, (all) => ({ storage: log, snapshots: storage, ...ports(all) }));
  await group.pass(5);
  return { group, member };
}

describe("a node that restarts", () => {
  it("has what the snapshot held, and what the log says was committed after it", async () => {
    const { group, member } = await open({ compacted: 5, last: 12, commit: 10, snapshots: [snapshotAt(8)] });
    expect(member.node.status()).toMatchObject({ appliedIndex: 10, commitIndex: 10, lastIndex: 12, compactedIndex: 5, snapshotIndex: 8 });
    expect([7, 8, 9, 10, 11].map((at) => member.machine.get(`key ${at}`))).toEqual([null, null, "key 9", "key 10", null]);
    expect(member.machine.get("snapshot")).toBe("8");
    await group.close();
  });

  it("goes on from the newest snapshot that its log agrees with", async () => {
    const snapshots = [snapshotAt(4), snapshotAt(6), snapshotAt(9, 7), snapshotAt(40)];
    const { group, member } = await open({ compacted: 4, last: 12, snapshots });
    expect(member.machine.get("snapshot")).toBe("6");
    expect(member.node.status()).toMatchObject({ snapshotIndex: 6, appliedIndex: 6, commitIndex: 6 });
    await group.close();
  });

  it("needs no snapshot where the log is whole, and takes the founders' word for the members", async () => {
    const { group, member } = await open({ last: 3, commit: 3 });
    expect(member.node.status()).toMatchObject({ appliedIndex: 3, configuration: { voters: [1, 2, 3] } });
    await group.close();
  });

  it("takes the members from the snapshot rather than from its founders", async () => {
    const later = { ...snapshotAt(3), configuration: votersOf(1, 5) };
    const { group, member } = await open({ compacted: 3, last: 3, snapshots: [later] });
    expect(member.node.status().configuration.voters).toEqual([1, 5]);
    await group.close();
  });

  it("goes on as if nothing had been, with its whole group", async () => {
    const group = await Group.open({ options: { snapshotEntries: 10, tailEntries: 2 } });
    const leader = await group.elect(1);
    for (let round = 0; round < 5; round++) await group.write(leader, 7, `round ${round}`);
    for (const id of [1, 2, 3]) await group.member(id).crash();
    for (const id of [1, 2, 3]) await group.start(id);
    await group.elect(2);
    for (const id of [1, 2, 3]) {
      await group.until(() => group.member(id).machine.get("round 4 6") !== null);
      for (let round = 0; round < 5; round++) expect(group.member(id).machine.get(`round ${round} 3`)).toBe(`round ${round} 3`);
    }
    await group.close();
  });
});

describe("a node whose disk lacks what was acknowledged", () => {
  const inconsistent = { code: "OCTOPII_RAFT_STORAGE_INCONSISTENT", outcome: "failed" };

  const disks: Readonly<Record<string, [Contents, RegExp, ChangePorts?]>> = {
    "because the log ends before the commit index": [{ last: 3, commit: 5 }, /ends at 3, but entry 5 was committed/],
    "because the log was compacted and no snapshot is there": [
      { compacted: 4, last: 6, commit: 5 },
      /begins after entry 4, and no snapshot/,
    ],
    "because the log was compacted further than any snapshot": [
      { compacted: 4, last: 6, commit: 5, snapshots: [snapshotAt(3)] },
      /begins after entry 4, and no snapshot/,
    ],
    "because the only snapshot is of another history": [
      { compacted: 4, last: 6, commit: 5, snapshots: [snapshotAt(5, 3)] },
      /begins after entry 4, and no snapshot/,
    ],
    "because the only snapshot lies beyond the log": [
      { compacted: 4, last: 6, commit: 5, snapshots: [snapshotAt(9)] },
      /begins after entry 4, and no snapshot/,
    ],
    "because it is given no place of snapshots": [
      { compacted: 4, last: 6, commit: 5, snapshots: [snapshotAt(5)] },
      /begins after entry 4, and no snapshot/,
      () => ({ snapshots: undefined }) as unknown as Record<string, never>,
    ],
    "because its state machine cannot restore": [
      { compacted: 4, last: 6, commit: 5, snapshots: [snapshotAt(5)] },
      /this state machine has no restore/,
      ({ stateMachine }) => ({ stateMachine: { apply: (commands) => stateMachine.apply(commands) } }),
    ],
  };

  it.each(Object.entries(disks))("%s does not start", async (_why, [contents, message, ports]) => {
    const refused = await outcomeOf(open(contents, ports));
    expect(refused).toMatchObject({ ...inconsistent, message: expect.stringMatching(message) });
  });
});

describe("a node that cannot read its disk", () => {
  it("does not start, and says why", async () => {
    const rotten = new Error("a record is damaged");
    const load = () => Promise.reject(rotten);
    const list = () => Promise.reject(rotten);
    expect(await outcomeOf(open({ last: 3 }, ({ storage }) => ({ storage: { ...storage, load } })))).toBe(rotten);
    expect(await outcomeOf(open({ last: 3 }, ({ snapshots }) => ({ snapshots: { ...snapshots, list } as never })))).toBe(rotten);
    const damaged = createMemorySnapshotStorage();
    const writer = await damaged.create(0, snapshotAt(2));
    await writer.commit();
    damaged.damage(0, 2);
    expect(await outcomeOf(open({ last: 3 }, () => ({ snapshots: damaged })))).toMatchObject({
      message: "The snapshot of index 2 of group 0 is damaged.",
    });
  });

  it("does not start with options or members that make no sense, and names every problem", async () => {
    const group = new Group({});
    await expect(group.start(1, { tickMs: 0, snapshotStallMs: -1 })).rejects.toThrow(/tickMs must be above 0.*snapshotStallMs/);
    await expect(group.start(1, { electionTicks: 1 })).rejects.toThrow(/electionTicks/);
    await expect(new Group({ voters: [1, 1] }).start(1)).rejects.toThrow(RangeError);
  });

  it("is refused if its log holds entries of a later term than it knows of: its vote in that term is lost", async () => {
    const log = createMemoryLogStorage();
    await log.append(0, { currentTerm: 1, votedFor: 0, commitIndex: 0 }, entries(1, 1, 5));
    const error = await outcomeOf(new Group({ voters: [1] }).start(1, {}, () => ({ storage: log })));
    expect(error).toMatchObject({ code: "OCTOPII_RAFT_STORAGE_INCONSISTENT", details: { lastTerm: 5, currentTerm: 1 } });
  });
});

describe("what no node can be opened with", () => {
  it.each([0, -1, 1.5, Number.NaN, "1"])("the id %s", async (id) => {
    await expect(new Group({}).start(id as number)).rejects.toBeInstanceOf(RangeError);
  });

  it("a state machine that can be put into a snapshot and never come out of one", async () => {
    const group = new Group({ voters: [1] });
    const started = group.start(1, {}, ({ stateMachine }) => {
      const { apply, snapshot } = stateMachine;
      return {
        stateMachine: { apply: apply.bind(stateMachine), ...(snapshot !== undefined && { snapshot: snapshot.bind(stateMachine) }) },
      };
    });
    await expect(started).rejects.toThrow("has a snapshot method and no restore");
  });
});
