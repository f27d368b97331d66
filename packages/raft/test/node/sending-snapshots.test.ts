import { describe, expect, it } from "vitest";
import type { PeerNetwork } from "../../src/index.js";
import { Group, type GroupOptions, type Member, outcomeOf, set } from "./group.js";

const sendsOf = (network: PeerNetwork, sendSnapshot: PeerNetwork["sendSnapshot"]): PeerNetwork => ({ ...network, sendSnapshot });

/** Three nodes, of which the third was away while the others wrote 30 keys, and compacted. It is to be started. */
async function leftBehind(how: GroupOptions = {}): Promise<{ group: Group; leader: Member; behind: Member }> {
  const group = await Group.open({ ...how, options: { tailEntries: 3, snapshotEntries: 0, snapshotBytes: 0, ...how.options } });
  const leader = await group.elect(1);
  const behind = group.member(3);
  await behind.crash();
  await group.write(leader, 30);
  await group.settled(leader.node.snapshot());
  await group.pass(3);
  expect(leader.node.status()).toMatchObject({ snapshotIndex: 31, compactedIndex: 28 });
  return { group, leader, behind };
}

/** It holds what the leader holds. */
async function expectCaughtUp(group: Group, member: Member): Promise<void> {
  const leader = group.member(1);
  await group.until(() => member.node.status().appliedIndex === leader.node.status().lastIndex, 5_000);
  for (let at = 0; at < 30; at++) expect(member.machine.get(`key ${at}`)).toBe(`key ${at}`);
  await group.settled(leader.node.propose(set("afterwards")));
  await group.until(() => member.machine.get("afterwards") === "afterwards");
}

describe("a follower that fell behind the compaction (Raft §7)", () => {
  it("is sent a snapshot, and goes on from it", async () => {
    const { group, behind } = await leftBehind();
    await group.start(3);
    await expectCaughtUp(group, behind);
    expect(behind.count("restored")).toBe(1);
    expect(behind.node.status()).toMatchObject({ snapshotIndex: 31, compactedIndex: 31 });
    expect(await behind.log.load(0)).toMatchObject({ compactedIndex: 31 });
    await group.close();
  });

  it("that has lost its disk gets all of it from a leader to whom it has acknowledged nothing", async () => {
    const { group, leader, behind } = await leftBehind();
    await group.settled(leader.node.transferLeadership(2));
    await group.settled(group.member(2).node.transferLeadership(1));
    behind.forgetDisk();
    await group.start(3);
    await expectCaughtUp(group, behind);
    expect(behind.count("restored")).toBe(1);
    await group.close();
  });

  // What it acknowledged it must never lack again (Raft figure 2): its id is spent. The leader does not pretend otherwise.
  it("that has lost what it acknowledged to this leader is not helped by it; a newcomer takes its place", async () => {
    const { group, leader, behind } = await leftBehind();
    await group.start(3);
    await expectCaughtUp(group, behind);
    await behind.crash();
    behind.forgetDisk();
    await group.start(3);
    await group.pass(300);
    expect(behind.node.status()).toMatchObject({ lastIndex: 0, appliedIndex: 0 });
    await behind.crash();
    const newcomer = await group.start(4);
    expect((await group.settled(leader.node.replaceMember(3, 4))).voters).toEqual([1, 2, 4]);
    await group.until(() => newcomer.machine.get("afterwards") === "afterwards");
    await group.close();
  });

  it("may be new: it learns the members from the snapshot", async () => {
    const { group, leader } = await leftBehind();
    const newcomer = await group.start(4);
    await group.settled(leader.node.addLearner(4));
    await expectCaughtUp(group, newcomer);
    expect(newcomer.count("restored")).toBe(1);
    expect(newcomer.node.status().configuration).toMatchObject({ voters: [1, 2, 3], learners: [4] });
    const voter = await group.settled(leader.node.addVoter(4));
    expect(voter.voters).toEqual([1, 2, 3, 4]);
    await group.close();
  });

  it("keeps no older snapshots, whether its own or the leader's", async () => {
    const { group, leader, behind } = await leftBehind();
    for (let round = 0; round < 3; round++) {
      await group.start(3);
      await group.until(() => behind.count("restored") === round + 1);
      await behind.crash();
      await group.write(leader, 10, `round ${round}`);
      await group.settled(leader.node.snapshot());
      await group.pass(3);
    }
    await group.start(3);
    await expectCaughtUp(group, behind);
    await group.pass(20);
    expect((await behind.snapshots.list(0)).map(({ index }) => index)).toEqual([61]);
    await group.close();
  });

  it("can read what is linearizable as soon as it holds the snapshot, and not before", async () => {
    const { group, behind } = await leftBehind({ options: { snapshotBytesPerSecond: 2_000 } });
    await group.start(3);
    await group.until(() => behind.node.leaderId === 1);
    const index = await group.settled(behind.node.readIndex());
    expect(index).toBeGreaterThanOrEqual(31);
    expect(behind.machine.get("key 29")).toBe("key 29");
    await group.close();
  });

  it("cannot tell what became of proposals that the snapshot skipped", async () => {
    const group = await Group.open({ options: { checkQuorum: false, tailEntries: 0 } });
    const leader = await group.elect(1);
    group.hub.isolate(1);
    const lost = outcomeOf(leader.node.propose(set("lost")));
    await group.until(() => group.member(2).isLeader || group.member(3).isLeader);
    const next = group.member(2).isLeader ? group.member(2) : group.member(3);
    await group.write(next, 10);
    await group.settled(next.node.snapshot());
    group.hub.heal();
    expect(await group.settled(lost)).toMatchObject({ code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "unknown" });
    expect(leader.machine.get("key 9")).toBe("key 9");
    await group.close();
  });
});

describe("a snapshot on its way", () => {
  // 31 lines of some 18 bytes take some 250 ms.
  const slow = { options: { snapshotBytesPerSecond: 2_000 } };

  it("holds nothing up: heartbeats and writes go on", async () => {
    const { group, leader, behind } = await leftBehind(slow);
    await group.start(3);
    await group.pass(50);
    for (let at = 0; at < 20; at++) {
      const asked = group.time.clock.now();
      await group.settled(leader.node.propose(set(`more ${at}`)));
      expect(group.time.clock.now() - asked).toBeLessThanOrEqual(2);
    }
    expect(behind.count("restored")).toBe(0);
    await expectCaughtUp(group, behind);
    expect(leader.node.status().currentTerm).toBe(1);
    await group.close();
  });

  it("that is interrupted half way is sent again, and nothing of the first remains", async () => {
    const { group, leader, behind } = await leftBehind(slow);
    await group.start(3);
    await group.pass(150);
    group.hub.cut(1, 3);
    await group.pass(30);
    expect(await behind.snapshots.list(0)).toEqual([]);
    expect(leader.events.filter((event) => event.type === "progress" && event.cause === "snapshotFailed")).toHaveLength(1);
    group.hub.heal();
    await expectCaughtUp(group, behind);
    await group.close();
  });

  it("is sent again when the receiver cannot store it, or the sender cannot read it", async () => {
    for (const fault of ["create", "write", "commit", "read"] as const) {
      const { group, leader, behind } = await leftBehind();
      const { snapshots } = fault === "read" ? leader : behind;
      const { create, read } = snapshots;
      let failures = 0;
      const fail = (): Promise<never> => {
        failures++;
        return Promise.reject(new Error("EIO"));
      };
      if (fault === "create") snapshots.create = fail;
      else if (fault === "read") {
        snapshots.read = async function* () {
          yield Uint8Array.of(1);
          await fail();
        };
      } else snapshots.create = async (...args) => ({ ...(await create.apply(snapshots, args)), [fault]: fail });
      await group.start(3);
      await group.until(() => failures > 1);
      Object.assign(snapshots, { create, read });
      await expectCaughtUp(group, behind);
      expect(leader.node.stoppedBy).toBeNull();
      await group.close();
    }
  });

  it("that the network does not take is given up after snapshotStallMs, and tried again", async () => {
    const given: unknown[] = [];
    const { group, leader, behind } = await leftBehind({
      options: { snapshotStallMs: 100 },
      ports: (id, { network }) =>
        id !== 1
          ? {}
          : {
              network: sendsOf(network, (to, message, chunks, signal) =>
                given.length >= 2
                  ? network.sendSnapshot(to, message, chunks, signal)
                  : new Promise((_resolve, reject) => {
                      signal.addEventListener("abort", () => {
                        given.push(signal.reason);
                        reject(signal.reason);
                      });
                    }),
              ),
            },
    });
    await group.start(3);
    await expectCaughtUp(group, behind);
    expect(given).toMatchObject([{ message: "Nothing moved for 100 ms." }, { message: "Nothing moved for 100 ms." }]);
    expect(leader.node.stoppedBy).toBeNull();
    await group.close();
  });

  it("ends with either node's close, and leaves nothing behind", async () => {
    for (const closing of [1, 3]) {
      const { group, behind } = await leftBehind(slow);
      await group.start(3);
      await group.pass(150);
      await group.settled(group.member(closing).node.close(), 3);
      await group.pass(3);
      expect(await behind.snapshots.list(0)).toEqual([]);
      await group.close();
    }
  });

  it("that is stored, but not installed when the power fails, does no harm", async () => {
    const { group, behind } = await leftBehind();
    const install = behind.log.install;
    behind.log.install = () => new Promise(() => undefined);
    await group.start(3);
    await group.until(() => behind.events.some((event) => event.type === "snapshot" && event.phase === "restored"));
    expect((await behind.snapshots.list(0)).map(({ index }) => index)).toEqual([31]);
    expect(behind.machine.get("key 0")).toBeNull();
    behind.log.install = install;
    await behind.crash();
    await group.start(3);
    await expectCaughtUp(group, behind);
    await group.close();
  });
});
