import { describe, expect, it } from "vitest";
import type { InstallSnapshot, PeerNetwork } from "../../src/index.js";
import { drain, FakePeer, Group, type GroupOptions, type Member, outcomeOf, set, votersOf } from "./group.js";

describe("a node that is offered a snapshot", () => {
  const offer: InstallSnapshot = {
    ...{ type: "InstallSnapshot", group: 0, from: 2, to: 1, term: 5 },
    snapshot: { index: 50, term: 4, configuration: votersOf(1, 2, 3) },
  };

  async function lone(
    how: GroupOptions = {},
  ): Promise<{ group: Group; member: Member; send: PeerNetwork["sendSnapshot"]; leader: FakePeer }> {
    const group = new Group(how);
    const leader = new FakePeer(2, group.hub);
    const member = await group.start(1);
    leader.say({ type: "Heartbeat", group: 0, from: 2, to: 1, term: 5, commitIndex: 0, readRound: 0 });
    await group.pass(2);
    const network = group.hub.connect(2);
    return { group, member, leader, send: (...args) => network.sendSnapshot(...args) };
  }

  const { signal } = new AbortController();
  const noChunks = async function* (): AsyncGenerator<Uint8Array, void, void> {
    yield new Uint8Array(0);
  };

  it("takes it, and says how far it is then", async () => {
    const { group, member, leader, send } = await lone();
    const line = new TextEncoder().encode('["a","1"]\n');
    const chunks = (async function* () {
      yield line.subarray(0, 4);
      yield line.subarray(4);
    })();
    await group.settled(send(1, offer, chunks, signal));
    await group.until(() => member.machine.get("a") === "1");
    await group.pass(3);
    expect(leader.heard("AppendEntriesResponse").at(-1)).toMatchObject({ rejected: false, index: 50 });
    expect(member.node.status()).toMatchObject({ appliedIndex: 50, lastIndex: 50, compactedIndex: 50 });
    await group.close();
  });

  it("refuses a second one at the same time, and takes it afterwards", async () => {
    const { group, member, send } = await lone();
    let end = (): void => undefined;
    const first = send(
      1,
      offer,
      (async function* () {
        yield new Uint8Array(0);
        await new Promise<void>((resolve) => {
          end = resolve;
        });
      })(),
      signal,
    );
    await group.pass(3);
    const later = { ...offer, snapshot: { ...offer.snapshot, index: 60 } };
    expect(await group.settled(outcomeOf(send(1, later, noChunks(), signal)))).toMatchObject({ code: "OCTOPII_RAFT_SNAPSHOT_FAILED" });
    end();
    await group.settled(first);
    await group.settled(send(1, later, noChunks(), signal));
    await group.until(() => member.node.status().appliedIndex === 60);
    await group.close();
  });

  it("gives up one whose data stalls, and takes the next", async () => {
    const { group, member, send } = await lone({ options: { snapshotStallMs: 100 } });
    const hanging = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield new Uint8Array(10);
      await new Promise(() => undefined);
    };
    const failed = await group.settled(outcomeOf(send(1, offer, hanging(), signal)));
    expect(failed).toMatchObject({ message: "Nothing moved for 100 ms." });
    expect(await member.snapshots.list(0)).toEqual([]);
    await group.settled(send(1, offer, noChunks(), signal));
    await group.until(() => member.node.status().appliedIndex === 50);
    await group.close();
  });

  it("reads nothing of one that it does not need, or that is not for it", async () => {
    const { group, member, send } = await lone();
    await group.settled(send(1, offer, noChunks(), signal));
    await group.until(() => member.node.status().appliedIndex === 50);
    let read = 0;
    const chunks = (): AsyncIterable<Uint8Array> => ({
      [Symbol.asyncIterator]: () => {
        read++;
        throw new Error("it was read");
      },
    });
    const unsound = { ...offer.snapshot, index: 90, configuration: { ...votersOf(1), learners: [1] } };
    const stale = { ...offer, snapshot: { ...offer.snapshot, index: 40 } };
    await group.settled(send(1, stale, chunks(), signal));
    const wrong: InstallSnapshot[] = [
      { ...offer, from: 3, snapshot: { ...offer.snapshot, index: 90 } },
      { ...offer, to: 3, snapshot: { ...offer.snapshot, index: 90 } },
      { ...offer, term: 4, snapshot: { ...offer.snapshot, index: 90 } },
      { ...offer, snapshot: unsound },
      { ...offer, snapshot: { ...offer.snapshot, index: 2 ** 53 } },
    ];
    for (const one of wrong) expect(await group.settled(outcomeOf(send(1, one, chunks(), signal)))).toBeInstanceOf(Error);
    expect(read).toBe(0);
    expect(member.node.status()).toMatchObject({ appliedIndex: 50, currentTerm: 5 });
    await group.close();
  });

  it("refuses it, and keeps its log, where it could not keep or restore it", async () => {
    for (const lacks of ["snapshots", "restore"] as const) {
      const { group, member, send, leader } = await lone({
        ports: (_id, { stateMachine }) =>
          lacks === "snapshots"
            ? ({ snapshots: undefined } as unknown as Record<string, never>)
            : { stateMachine: { apply: (commands) => stateMachine.apply(commands) } },
      });
      const entry = { index: 1, term: 5, kind: "command", data: set("a") } as const;
      const head = { group: 0, from: 2, to: 1, term: 5 } as const;
      leader.say({ ...head, type: "AppendEntries", prevLogIndex: 0, prevLogTerm: 0, entries: [entry], leaderCommit: 1 });
      await group.pass(3);
      expect(await group.settled(outcomeOf(send(1, offer, noChunks(), signal)))).toBeInstanceOf(Error);
      await drain();
      expect(member.node.stoppedBy).toBeNull();
      expect(member.node.status()).toMatchObject({ appliedIndex: 1, lastIndex: 1 });
      await group.close();
    }
  });

  it("gives up a deposed leader's, however slowly that goes on, for the new leader's", async () => {
    const { group, member, send } = await lone();
    const slow = async function* (): AsyncGenerator<Uint8Array, void, void> {
      for (;;) {
        await new Promise<void>((resolve) => void group.time.scheduler.setTimer(20, resolve));
        yield new Uint8Array(1);
      }
    };
    const first = outcomeOf(send(1, offer, slow(), signal));
    await group.pass(50);
    const other = new FakePeer(3, group.hub);
    other.say({ type: "Heartbeat", group: 0, from: 3, to: 1, term: 6, commitIndex: 0, readRound: 0 });
    await group.pass(2);
    const line = (async function* () {
      yield new TextEncoder().encode('["a","1"]\n');
    })();
    const newer = { ...offer, from: 3, term: 6, snapshot: { ...offer.snapshot, index: 60, term: 6 } };
    await group.settled(group.hub.connect(3).sendSnapshot(1, newer, line, signal));
    await group.until(() => member.machine.get("a") === "1");
    expect(String(await group.settled(first))).toMatch(/a later leader sends another one/);
    await group.close();
  });
});
