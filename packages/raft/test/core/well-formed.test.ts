import { createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { type Message, RaftCore } from "../../src/index.js";
import { bytes, group, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import {
  accepted,
  append,
  entriesOf,
  heartbeat,
  heartbeatAnswer,
  install,
  only,
  preVote,
  rejected,
  requestVote,
  snapshotOf,
  timeoutNow,
  vote,
} from "./messages.js";

const at = { from: 2, to: 1, term: 3 };
const forward = { type: "ForwardProposals", group: 0, ...at, requestId: 1, commands: [bytes("a")] } as const;
const refusedRead = { type: "ReadIndexResponse", group: 0, ...at, requestId: 1, index: 0, refusal: "noLeader" } as const;
const forwarded = {
  type: "ForwardProposalsResponse",
  group: 0,
  ...at,
  requestId: 1,
  count: 1,
  firstIndex: 1,
  entryTerm: 1,
  refusal: null,
} as const;

/** What JSON makes of `{"toString":1,"valueOf":1}`: it cannot be compared, nor be a key. */
const thorn: never = JSON.parse('{"toString":1,"valueOf":1}') as never;
const [whole] = entriesOf(1, 1);

/** What no honest peer sends. */
const malformed: [string, Message][] = [
  ["an entry whose term cannot be compared", { ...append(at, [0, 0], []), entries: [{ ...whole, term: thorn }] } as unknown as Message],
  ["an entry whose kind cannot be a key", { ...append(at, [0, 0], []), entries: [{ ...whole, kind: thorn }] } as unknown as Message],
  ["an entry whose kind is a list", { ...append(at, [0, 0], []), entries: [{ ...whole, kind: ["command"] }] } as unknown as Message],
  ["a snapshot whose voters are no numbers", thornySnapshot()],
  ["a negative term", heartbeat({ ...at, term: -1 })],
  ["a term above the safe integers", heartbeat({ ...at, term: 2 ** 53 })],
  ["a term that no group comes to", heartbeat({ ...at, term: 2 ** 52 + 1 })],
  ["a fractional term", requestVote({ ...at, term: 1.5 })],
  ["no sender", heartbeat({ ...at, from: 0 })],
  ["a sender that is no id", heartbeat({ ...at, from: 1.5 })],
  ["a leader of term 0", heartbeat({ ...at, term: 0 })],
  ["a negative prevLogIndex", append(at, [-1, 0], [])],
  ["a prevLogIndex above the safe integers", append(at, [2 ** 53, 1], [])],
  ["a prevLogIndex that no log comes to", append(at, [2 ** 52 + 1, 1], [])],
  ["entries beyond the last index that there may be", append(at, [2 ** 52, 1], [1])],
  ["a negative prevLogTerm", append(at, [1, -1], [])],
  ["a prevLogTerm above its own", append(at, [1, 4], [])],
  ["a negative commit index", append(at, [0, 0], [], -1)],
  ["entries of terms that fall", append(at, [0, 0], [2, 1])],
  ["entries of an earlier term than those they follow", append(at, [1, 2], [1])],
  ["entries of a later term than its own", append(at, [0, 0], [4])],
  ["entries of a fractional term", append(at, [0, 0], [1.5])],
  ["entries with a gap", { ...append(at, [0, 0], []), entries: [...entriesOf(1, 1), ...entriesOf(3, 1)] }],
  ["entries that do not follow", { ...append(at, [0, 0], []), entries: entriesOf(2, 1) }],
  ["an acknowledged index below 0", accepted(at, -1)],
  ["a hint below 0", rejected(at, 1, -1, 0)],
  ["a hint's term below -1", rejected(at, 1, 0, -2)],
  ["a candidate's index below 0", requestVote(at, -1, 0)],
  ["a candidate's last term above its own", requestVote(at, 1, 4)],
  ["a pre-candidate's last term that is none", preVote(at, 1, Number.NaN)],
  ["a vote that is neither yes nor no", { ...vote(at), granted: JSON.parse("1") }],
  ["a heartbeat's commit index below 0", heartbeat(at, -5)],
  ["a read round below 0", heartbeat(at, 0, -1)],
  ["a read round that is none", heartbeatAnswer(at, Number.POSITIVE_INFINITY)],
  ["a snapshot of a later term", install(at, snapshotOf(1, 4))],
  ["a snapshot of a configuration that contradicts itself", install(at, snapshotOf(1, 1, group([1], { learners: [1] })))],
  ["a read without a number", { type: "ReadIndex", group: 0, ...at, requestId: -1, lease: false }],
  ["a read that is unclear about leases", { type: "ReadIndex", group: 0, ...at, requestId: 1, lease: JSON.parse("null") }],
  ["a read index below 0", { type: "ReadIndexResponse", group: 0, ...at, requestId: 1, index: -1, refusal: null }],
  ["a read that has an index and is refused", { type: "ReadIndexResponse", group: 0, ...at, requestId: 1, index: 1, refusal: "noLeader" }],
  ["a read that is refused for no reason", { type: "ReadIndexResponse", group: 0, ...at, requestId: 1, index: 0, refusal: null }],
  ["a read that is refused for a reason that nobody knows", { ...refusedRead, refusal: JSON.parse('"toString"') }],
  ["forwarded commands that are refused for a reason that nobody knows", { ...forwarded, refusal: JSON.parse('"toString"') }],
  ["nothing to forward", { ...forward, commands: [] }],
  ["a count of forwarded commands below 0", { ...forwarded, count: -1 }],
  ["a kind of message that nobody knows", JSON.parse('{ "type": "Gossip", "group": 0, "from": 2, "to": 1, "term": 3 }')],
];

describe("messages that make no sense", () => {
  it.each(malformed)("%s: dropped before it can touch anything", (_, message) => {
    for (const replica of [new TestReplica(1, { log: [1, 1] }), leading({ log: [1, 1] })]) {
      const before = replica.status;
      expect(replica.answer(message)).toEqual([]);
      expect(replica.status).toEqual(before);
      expect(replica.traced("drop").at(-1)).toEqual({ type: "drop", message, reason: "malformed" });
    }
  });

  it("for another node, or another group: dropped", () => {
    const replica = new TestReplica(1);
    for (const message of [
      { ...heartbeat(at), to: 2 },
      { ...heartbeat(at), group: 1 },
    ])
      replica.answer(message);
    expect(replica.traced("drop").map(({ reason }) => reason)).toEqual(["notForUs", "notForUs"]);
    expect(replica.status.currentTerm).toBe(0);
  });

  it("of a second leader of a term, whatever it says: dropped, and the first one's shield is not renewed by it", () => {
    const replica = new TestReplica(1);
    replica.answer(heartbeat({ ...at, from: 3 }));
    replica.step({ ticks: 9 });
    for (const message of [heartbeat(at), append(at, [0, 0], [3]), install(at, snapshotOf(1, 1))]) {
      expect(replica.answer(message)).toEqual([]);
      expect(replica.traced("drop").at(-1)).toMatchObject({ reason: "secondLeader", message });
    }
    expect(replica.status).toMatchObject({ leaderId: 3, lastIndex: 0 });
    replica.step({ ticks: 2 });
    expect(replica.status.role).toBe("preCandidate");
  });

  it("answers of whoever was asked nothing: dropped, their terms unread", () => {
    const replica = new TestReplica(1);
    for (const message of [accepted({ ...at, from: 9 }, 0), heartbeatAnswer({ ...at, from: 9 }), vote({ ...at, from: 9 })])
      replica.answer(message);
    expect(replica.traced("drop").map(({ reason }) => reason)).toEqual(["unknownSender", "unknownSender", "unknownSender"]);
    expect(replica.status.currentTerm).toBe(0);
  });

  it("requests of strangers are heard: a member may not know of another yet", () => {
    const replica = new TestReplica(1);
    expect(replica.answer(append({ ...at, from: 9 }, [0, 0], [3]))).toMatchObject([{ to: 9, rejected: false, index: 1 }]);
  });

  it("answers that only a leader asks for, and what drivers say to each other: unexpected", () => {
    const replica = new TestReplica(1, { hardState: { currentTerm: 3 } });
    for (const message of [accepted(at, 0), heartbeatAnswer(at), forward, forwarded, timeoutNow(at)]) replica.answer(message);
    expect(replica.traced("drop").map(({ reason }) => reason)).toEqual(Array.from({ length: 5 }, () => "unexpected"));
  });

  it("a core that nobody watches does the same", () => {
    const configuration = group([1]);
    const log = { compactedIndex: 0, lastIndex: 0, terms: [{ firstIndex: 0, term: 0 }], commitIndex: 0, appliedIndex: 0 };
    const hardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
    const core = new RaftCore({ id: 1, group: 0, hardState, configuration, log }, { preVote: false }, createRandom(1));
    let output = core.step({ campaign: true, messages: [heartbeat({ ...at, term: -1 })] });
    for (let turn = 0; turn < 2; turn++) output = core.step({ durableSequence: output.write?.sequence });
    expect(output.apply).toMatchObject({ from: 1, to: 1 });
    core.step({ applied: { index: 1, configurations: output.apply?.entries ?? [] }, unreachable: [1] });
    expect([core.currentTerm, core.leaderId, core.appliedIndex]).toEqual([1, 1, 1]);
  });

  it("a core does not start in a group that cannot be", () => {
    const setup = { configuration: group([2, 1]) };
    expect(() => new TestReplica(1, setup)).toThrow(/Raft configuration: voters must be ascending/);
  });
});

describe("reads of others", () => {
  const asked: Message = { type: "ReadIndex", group: 0, from: 2, to: 1, term: 1, requestId: 4, lease: false };

  it("that wait on a leader which is deposed get no answer: the asker learns of the new leader by itself", () => {
    const leader = leading();
    leader.receive(asked);
    expect(leader.receive(heartbeatAnswer({ from: 3, to: 1, term: 2 }))).toEqual([]);
    expect(leader.reads).toEqual([]);
  });

  it("that come with a tick begin their round with its heartbeat", () => {
    const leader = leading();
    leader.answer(accepted({ from: 2, to: 1, term: 1 }, 1));
    const beats = only("Heartbeat", leader.step({ messages: [asked], ticks: 1 }));
    expect(beats.map(({ to, readRound }) => [to, readRound])).toEqual([
      [2, 1],
      [3, 1],
    ]);
    expect(leader.receive(heartbeatAnswer({ from: 3, to: 1, term: 1 }, 1))).toContainEqual(
      expect.objectContaining({ type: "ReadIndexResponse", to: 2, requestId: 4, index: 1 }),
    );
  });
});

function thornySnapshot(): Message {
  const message = install(at, snapshotOf(5, 2));
  const configuration = { ...message.snapshot.configuration, voters: [thorn] };
  return { ...message, snapshot: { ...message.snapshot, configuration } };
}
