import { describe, expect, it } from "vitest";
import type { Message } from "../../src/index.js";
import { change, TestCluster } from "./cluster.js";
import { leading, propose, replicating } from "./leading.js";
import { accepted, only } from "./messages.js";
import { bytes, group, type TestReplica } from "./replica.js";

const at = { from: 2, to: 1, term: 1 };

/** A leader of three, follower 2 up to date, that has just committed a command by 2's word. @returns what it sent at that. */
function committing(options: Parameters<typeof replicating>[0] = {}): { replica: TestReplica; sent: Message[] } {
  const replica = replicating(options);
  replica.step({});
  propose(replica, "a");
  replica.flush();
  // The state machine is slow: no further step comes by itself.
  replica.holdApply = true;
  const sent = replica.receive(accepted(at, 2));
  expect(replica.status.commitIndex).toBe(2);
  return { replica, sent };
}

/** What follower 2 is told of: how many entries, and which commit index. */
const told = (messages: readonly Message[]): number[][] =>
  only("AppendEntries", messages).flatMap(({ to, entries, leaderCommit }) => (to === 2 ? [[entries.length, leaderCommit]] : []));

describe("a new commit index", () => {
  it("waits for the next step, and goes with its entries", () => {
    const { replica, sent } = committing();
    expect(told(sent)).toEqual([]);
    expect(told(replica.step({ proposals: [bytes("b")] }))).toEqual([[1, 2]]);
    expect(told(replica.step({}))).toEqual([]);
  });

  it("goes alone if the next step has no entries, and just once", () => {
    const { replica } = committing();
    expect(told(replica.step({}))).toEqual([[0, 2]]);
    expect(told(replica.step({}))).toEqual([]);
  });

  it("has the driver see to it that there is a next step", () => {
    const { replica } = committing();
    expect(replica.core.step({}).commitLingers).toBe(false);
    const lone = leading({ configuration: group([1]) });
    expect(lone.core.step({ proposals: [bytes("a")] }).commitLingers).toBe(false);
    const other = replicating();
    other.step({});
    propose(other, "a");
    other.flush();
    expect(other.core.step({ messages: [accepted(at, 2)] }).commitLingers).toBe(true);
  });

  it("goes at once where the options say so", () => {
    const { replica, sent } = committing({ eagerCommits: true });
    expect(told(sent)).toEqual([[0, 2]]);
    expect(told(replica.step({}))).toEqual([]);
  });

  it("is not told to whom it says nothing: a follower that holds no more than it was told is committed", () => {
    const { replica } = committing();
    const toThird = only("AppendEntries", replica.step({})).filter(({ to }) => to === 3);
    expect(toThird).toEqual([]);
  });

  it("goes before the word to campaign at once, after which nothing of this term is heard", () => {
    const { replica } = committing();
    const sent = replica.step({ transferTo: 2 });
    expect(sent.map(({ type, to }) => [type, to])).toEqual([
      ["AppendEntries", 2],
      ["TimeoutNow", 2],
    ]);
    expect(told(sent)).toEqual([[0, 2]]);
  });

  it("reaches a member that it takes out, before the leader forgets it", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.change(1, change("r3"));
    expect(cluster.at(1).status.configuration.voters).toEqual([1, 2]);
    expect(cluster.at(3).status.configuration.voters).toEqual([1, 2]);
  });

  it("is forgotten by a leader that is none any more", () => {
    const { replica } = committing();
    const sent = replica.receive({ type: "Heartbeat", group: 0, from: 3, to: 1, term: 2, commitIndex: 0, readRound: 0 });
    expect(told(sent)).toEqual([]);
    expect(replica.core.step({}).commitLingers).toBe(false);
  });
});
