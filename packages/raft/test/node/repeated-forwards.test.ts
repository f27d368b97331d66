import { describe, expect, it } from "vitest";
import type { ForwardProposals, Message, PeerNetwork } from "../../src/index.js";
import { idsPerProcess, TakenRequests } from "../../src/node/taken-requests.js";
import { FakePeer, Group, outcomeOf, set } from "./group.js";

/** Says proposals that are passed on twice, as a network may, and lets the second of two answers overtake. */
const repeating = (network: PeerNetwork): PeerNetwork => ({
  attach: (group, receiver) => network.attach(group, receiver),
  sendSnapshot: (...args) => network.sendSnapshot(...args),
  send: (to, messages) => {
    const isForward = ({ type }: Message): boolean => type === "ForwardProposals";
    const answers = messages.filter(({ type }) => type === "ForwardProposalsResponse");
    const others = messages.filter((message) => !isForward(message));
    if (answers.length === 2) others.reverse();
    if (others.length > 0) network.send(to, others);
    const forwards = messages.filter(isForward);
    for (const copy of [forwards, forwards]) if (copy.length > 0) network.send(to, copy);
  },
});

/** A group on such a network. @returns it, and how many commands node 2 has applied. */
async function open(options = {}): Promise<{ group: Group; applied: () => number }> {
  let applied = 0;
  const group = await Group.open({
    options,
    ports: (id, { network, stateMachine }) => {
      const apply: typeof stateMachine.apply = (commands) => {
        if (id === 2) applied += commands.length;
        return stateMachine.apply(commands);
      };
      return { network: repeating(network), stateMachine: { apply } };
    },
  });
  await group.elect(1);
  return { group, applied: () => applied };
}

describe("proposals that were passed on, and that the network repeats", () => {
  it("are applied once", async () => {
    const { group, applied } = await open();
    expect(await group.settled(group.member(2).node.propose(set("a")))).toBeNull();
    await group.pass(50);
    expect(applied()).toBe(1);
    await group.close();
  });

  it("are never said to have failed when the first copy was taken, and the second has no room", async () => {
    const { group, applied } = await open({ uncommittedBytesMax: 1024, entryBytesMax: 1024 });
    const outcome = await group.settled(outcomeOf(group.member(2).node.propose(set("a", "x".repeat(600)))));
    await group.pass(50);
    expect(outcome).toBeNull();
    expect(applied()).toBe(1);
    await group.close();
  });

  it("are not taken in another term than they were sent in: what came of the first copy nobody can tell", async () => {
    const group = new Group({});
    const peer = new FakePeer(3, group.hub);
    for (const id of [1, 2]) await group.start(id);
    const { node } = await group.elect(1);
    const { currentTerm, lastIndex } = node.status();
    const forward: ForwardProposals = {
      type: "ForwardProposals",
      group: 0,
      from: 3,
      to: 1,
      term: currentTerm - 1,
      requestId: 1,
      commands: [set("a")],
    };
    peer.say(forward);
    await group.pass(20);
    expect(node.status().lastIndex).toBe(lastIndex);
    expect(peer.heard("ForwardProposalsResponse")).toEqual([]);
    peer.say({ ...forward, term: currentTerm });
    await group.pass(20);
    expect(peer.heard("ForwardProposalsResponse")).toMatchObject([{ count: 1, refusal: null }]);
    await group.close();
  });
});

describe("TakenRequests", () => {
  it("knows the requests of each process of each peer apart", () => {
    const taken = new TakenRequests();
    const [first, second] = [7 * idsPerProcess, 3 * idsPerProcess];
    expect([taken.isRepeated(1, first), taken.isRepeated(1, first + 1), taken.isRepeated(2, first)]).toEqual([false, false, false]);
    expect([taken.isRepeated(1, first + 1), taken.isRepeated(1, first)]).toEqual([true, true]);
    // The peer starts anew, elsewhere, and a copy of what it said before comes late.
    expect([taken.isRepeated(1, second), taken.isRepeated(1, first + 1), taken.isRepeated(1, second)]).toEqual([false, true, true]);
  });

  it("remembers as many processes as can matter, and no more", () => {
    const taken = new TakenRequests();
    for (let process = 0; process < 1_000; process++) expect(taken.isRepeated(1, 2 * process * idsPerProcess)).toBe(false);
    expect(taken.isRepeated(1, 2 * 999 * idsPerProcess)).toBe(true);
    expect(taken.isRepeated(1, 0)).toBe(false);
  });
});
