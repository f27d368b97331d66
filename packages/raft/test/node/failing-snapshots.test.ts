import { describe, expect, it } from "vitest";
import type { RaftNodeOptions, SnapshotStorage } from "../../src/index.js";
import { drain, Group, type Member, outcomeOf, set } from "./group.js";

/** One lone voter, and 20 keys. Nothing is taken by itself, unless the options say so. */
async function loneVoter(options: RaftNodeOptions = {}): Promise<{ group: Group; member: Member }> {
  const group = await Group.open({ voters: [1], options: { snapshotEntries: 0, snapshotBytes: 0, tailEntries: 5, ...options } });
  const member = await group.elect(1);
  for (let at = 0; at < 20; at++) await group.settled(member.node.propose(set(`key ${at}`)));
  return { group, member };
}

const indexes = async (member: Member): Promise<number[]> => (await member.snapshots.list(0)).map(({ index }) => index);

describe("a snapshot that fails", () => {
  const broken = new Error("ENOSPC");
  const failures: Readonly<Record<string, (member: Member) => () => void>> = {
    "when it is created": ({ snapshots }) => replaced(snapshots, "create", () => Promise.reject(broken)),
    "while it is written": ({ snapshots }) => writing(snapshots, "write"),
    "when it is committed": ({ snapshots }) => writing(snapshots, "commit"),
    "because the state machine throws": ({ machine }) =>
      replaced(machine, "snapshot", () => {
        throw broken;
      }),
    "because the state machine cannot be read": ({ machine }) =>
      replaced(machine, "snapshot", async function* () {
        yield Uint8Array.of(1);
        throw broken;
      }),
  };

  function replaced<Of, Name extends keyof Of>(of: Of, name: Name, by: Of[Name]): () => void {
    const before = of[name];
    of[name] = by;
    return () => {
      of[name] = before;
    };
  }

  function writing(snapshots: SnapshotStorage, what: "write" | "commit"): () => void {
    const create = snapshots.create;
    return replaced(snapshots, "create", async (...args) => ({
      ...(await create.apply(snapshots, args)),
      [what]: () => Promise.reject(broken),
    }));
  }

  it.each(Object.entries(failures))("%s leaves everything as it was, for all who waited, and the next may succeed", async (_when, fail) => {
    const { group, member } = await loneVoter();
    const mend = fail(member);
    const both = [outcomeOf(member.node.snapshot())];
    await drain();
    both.push(outcomeOf(member.node.snapshot()));
    for (const outcome of await group.settled(Promise.all(both))) {
      expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_SNAPSHOT_FAILED", outcome: "failed", cause: broken });
    }
    expect(await indexes(member)).toEqual([]);
    expect(member.node.status()).toMatchObject({ snapshotIndex: 0, compactedIndex: 0 });
    expect(member.node.stoppedBy).toBeNull();
    mend();
    expect((await group.settled(member.node.snapshot())).index).toBe(21);
    await group.close();
  });

  it("lets go of what the state machine holds for it, whether it was read or not", async () => {
    for (const fault of ["create", "write", "commit"] as const) {
      const { group, member } = await loneVoter();
      let held = 0;
      const chunks = member.machine.snapshot();
      member.machine.snapshot = () => {
        held++;
        const iterator = chunks[Symbol.asyncIterator]();
        const release = async (): Promise<IteratorResult<Uint8Array>> => {
          held = 0;
          return { done: true, value: undefined };
        };
        const next = async (): Promise<IteratorResult<Uint8Array>> => {
          const result = await iterator.next();
          return result.done === true ? release() : result;
        };
        return { [Symbol.asyncIterator]: () => ({ next, return: release }) };
      };
      if (fault === "create") member.snapshots.create = () => Promise.reject(broken);
      else writing(member.snapshots, fault);
      await group.settled(outcomeOf(member.node.snapshot()));
      expect(held).toBe(0);
      await group.close();
    }
  });

  it("by a state machine that stalls is given up, and does not stand in the way of the next", async () => {
    const { group, member } = await loneVoter({ snapshotStallMs: 100 });
    const snapshot = member.machine.snapshot;
    member.machine.snapshot = async function* () {
      yield Uint8Array.of(1);
      await new Promise(() => undefined);
    };
    const before = group.time.clock.now();
    const failed = await group.settled(outcomeOf(member.node.snapshot()));
    expect(failed).toMatchObject({ code: "OCTOPII_RAFT_SNAPSHOT_FAILED", cause: { message: "Nothing moved for 100 ms." } });
    expect(group.time.clock.now() - before).toBeLessThanOrEqual(110);
    member.machine.snapshot = snapshot;
    expect((await group.settled(member.node.snapshot())).index).toBe(21);
    await group.close();
  });

  it("with the node's close leaves nothing behind, not even where the state machine hangs", async () => {
    const { group, member } = await loneVoter();
    let isReleased = false;
    member.machine.snapshot = () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          isReleased = true;
          return { done: true, value: undefined };
        },
      }),
    });
    const given = outcomeOf(member.node.snapshot());
    await group.pass(3);
    await group.settled(member.node.close(), 3);
    expect(await given).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "unknown" });
    expect(isReleased).toBe(true);
    expect(await indexes(member)).toEqual([]);
    await group.close();
  });

  it("does not outlive a node that stops on an error", async () => {
    const { group, member } = await loneVoter({ snapshotBytesPerSecond: 100 });
    const given = outcomeOf(member.node.snapshot());
    await group.pass(3);
    member.log.fail(broken);
    void outcomeOf(member.node.propose(set("a")));
    expect(await group.settled(given, 5)).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", cause: broken });
    await group.pass(3);
    expect(group.time.pending).toBe(0);
    expect(await indexes(member)).toEqual([]);
    await group.close();
  });
});

describe("a leader's own snapshot that is damaged", () => {
  it("is replaced by a new one as soon as a follower needs it, though nothing is proposed any more", async () => {
    const group = await Group.open({ options: { tailEntries: 1 } });
    const leader = await group.elect(1);
    group.hub.isolate(3);
    await group.write(leader, 20);
    const { index } = await group.settled(leader.node.snapshot());
    leader.snapshots.damage(0, index);
    group.hub.heal();
    const before = leader.count("progress");
    await group.until(() => group.member(3).node.status().appliedIndex === leader.node.status().appliedIndex, 3_000);
    expect(leader.count("progress") - before).toBeLessThan(20);
    await group.close();
  });

  it("is tried again after longer and longer pauses while no new one can be taken", async () => {
    const group = await Group.open({ options: { tailEntries: 1 } });
    const leader = await group.elect(1);
    group.hub.isolate(3);
    await group.write(leader, 20);
    const { index } = await group.settled(leader.node.snapshot());
    leader.snapshots.damage(0, index);
    leader.snapshots.create = () => Promise.reject(new Error("ENOSPC"));
    group.hub.heal();
    const failures = (): number => leader.events.filter((event) => event.type === "progress" && event.cause === "snapshotFailed").length;
    await group.pass(5_000);
    expect(failures()).toBeLessThan(10);
    expect(await group.settled(outcomeOf(leader.node.snapshot()))).toMatchObject({ code: "OCTOPII_RAFT_SNAPSHOT_FAILED" });
    await group.settled(leader.node.close(), 1_000);
  });
});

describe("a snapshot that is being read for a follower", () => {
  it("is let go of before the node is closed, though the transfer was given up in the middle of a read", async () => {
    let letRead = (): void => undefined;
    let isOpen = false;
    const slow = new Promise<void>((resolve) => {
      letRead = resolve;
    });
    const group = await Group.open({
      options: { tailEntries: 1 },
      ports: (id, { snapshots }) => {
        if (id !== 1 || snapshots === undefined) return {};
        const read: SnapshotStorage["read"] = async function* (of, index) {
          isOpen = true;
          try {
            await slow;
            yield* snapshots.read(of, index);
          } finally {
            isOpen = false;
          }
        };
        const { list, create, removeBelow } = snapshots;
        return {
          snapshots: { list: list.bind(snapshots), create: create.bind(snapshots), removeBelow: removeBelow.bind(snapshots), read },
        };
      },
    });
    const leader = await group.elect(1);
    group.hub.isolate(3);
    await group.write(leader, 20);
    await group.settled(leader.node.snapshot());
    group.hub.heal();
    await group.until(() => isOpen);
    const closing = leader.node.close();
    await group.pass(5);
    letRead();
    await group.settled(closing, 1_000);
    expect(isOpen).toBe(false);
  });
});
