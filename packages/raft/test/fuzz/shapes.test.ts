import { describe, expect, it } from "vitest";
import type { InstallSnapshot, Message, PeerReceiver } from "../../src/index.js";
import { Group, outcomeOf, set } from "../node/group.js";

/** What untyped code may have put where something else belongs. */
const oddities: readonly unknown[] = [undefined, null, true, "x", -1, 0.5, Number.NaN, 2 ** 53, 1n, {}, [], [null], [{}], ["x"], () => 1];

const head = { group: 0, from: 2, to: 1, term: 1 };
const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
const entry = { index: 1, term: 1, kind: "command", data: Uint8Array.of(1) };
/** One of each; every field of theirs, at any depth, is replaced by each oddity in turn. */
const samples: readonly object[] = [
  { ...head, type: "AppendEntries", prevLogIndex: 0, prevLogTerm: 0, entries: [entry], leaderCommit: 0 },
  { ...head, type: "AppendEntriesResponse", rejected: false, index: 0, hintIndex: 0, hintTerm: 0 },
  { ...head, type: "InstallSnapshot", snapshot: { index: 9, term: 1, configuration } },
  { ...head, type: "RequestVote", lastLogIndex: 9, lastLogTerm: 1, leadershipTransfer: false, commitIndex: 1, commitTerm: 1 },
  { ...head, type: "RequestVoteResponse", granted: true, commitIndex: 1, commitTerm: 1 },
  { ...head, type: "PreVote", lastLogIndex: 9, lastLogTerm: 1, commitIndex: 1, commitTerm: 1 },
  { ...head, type: "PreVoteResponse", granted: true, commitIndex: 1, commitTerm: 1 },
  { ...head, type: "Heartbeat", commitIndex: 1, readRound: 1 },
  { ...head, type: "HeartbeatResponse", readRound: 1 },
  { ...head, type: "ReadIndex", requestId: 1, lease: false },
  { ...head, type: "ReadIndexResponse", requestId: 1, index: 1, refusal: null },
  { ...head, type: "TimeoutNow" },
  { ...head, type: "ForwardProposals", requestId: 1, commands: [Uint8Array.of(1)] },
  { ...head, type: "ForwardProposalsResponse", requestId: 1, count: 1, firstIndex: 1, entryTerm: 1, refusal: null },
];

/** Every copy of `value` in which one part is an oddity. */
function* spoilt(value: unknown): Generator<unknown> {
  yield* oddities;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  for (const [key, part] of Object.entries(value)) {
    for (const odd of spoilt(part)) {
      if (Array.isArray(value)) yield value.map((item, at) => (String(at) === key ? odd : item));
      else yield { ...value, [key]: odd };
    }
  }
}

/** A group of three, and what the network would hand to member 1. */
async function openWithReceiver(): Promise<{ group: Group; receiver: PeerReceiver }> {
  const receivers: PeerReceiver[] = [];
  const group = await Group.open({
    ports: (id, { network }) => ({
      network: {
        send: (to, messages) => network.send(to, messages),
        sendSnapshot: (...args) => network.sendSnapshot(...args),
        attach: (of, receiver) => {
          if (id === 1) receivers.push(receiver);
          return network.attach(of, receiver);
        },
      },
    }),
  });
  const [receiver] = receivers;
  if (receiver === undefined) throw new Error("member 1 has not attached");
  return { group, receiver };
}

// biome-ignore lint/correctness/useYield: it breaks off before the first.
async function* brokenOff(): AsyncGenerator<Uint8Array, void, void> {
  throw new Error("the snapshot broke off");
}

describe.each(["leader", "follower"])("a %s that is sent what no type allows", (role) => {
  it.each(samples.map((sample) => [(sample as Message).type, sample] as const))("in the place of a %s goes on", async (_type, sample) => {
    const { group, receiver } = await openWithReceiver();
    await group.elect(role === "leader" ? 1 : 3);
    const { node } = group.member(1);
    const from = role === "leader" ? 2 : 3;
    for (const odd of spoilt({ ...sample, from, term: node.status().currentTerm })) {
      const message = odd as Message;
      receiver.receive(from, [message]);
      const isSnapshot = typeof odd === "object" && odd !== null && "snapshot" in odd;
      if (isSnapshot) await group.settled(outcomeOf(receiver.receiveSnapshot(from, message as InstallSnapshot, brokenOff())));
    }
    await group.pass(50);
    expect(node.stoppedBy).toBeNull();
    // Some of it passes for a leader's word to campaign, or for a later term: then somebody leads again soon.
    await group.until(() => [...group.members.values()].some((member) => member.isLeader));
    await group.pass(500);
    expect(await group.settled(group.member(2).node.propose(set("a")))).toBeNull();
    await group.close();
  });
});

describe("a program without types", () => {
  it("that asks for impossible changes is refused, and the node goes on", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const { node } = leader;
    const change = { transition: "auto", changes: [{ type: "addLearner", nodeId: 9, context: Uint8Array.of(1) }] };
    for (const odd of spoilt(change)) {
      const outcome = await group.settled(outcomeOf(node.changeMembership(odd as never)));
      if (!(outcome instanceof Error)) continue;
      expect(String(outcome)).toMatch(/TypeError|CHANGE_REFUSED|RaftError|BUSY/);
    }
    for (const odd of oddities) {
      const calls: Promise<unknown>[] = [
        node.addLearner(odd as never),
        node.removeMember(odd as never),
        node.transferLeadership(odd as never),
      ];
      void Promise.all(calls.map(outcomeOf));
      await group.pass(3);
    }
    expect(node.stoppedBy).toBeNull();
    await group.close();
  });
});
