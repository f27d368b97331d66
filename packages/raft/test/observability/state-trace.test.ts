import { describe, expect, it } from "vitest";
import type { ConfigurationChange, MemberChange, Message, StateTraceEvent } from "../../src/index.js";
import { Seeded } from "../property/seeded.js";
import { brokenRules } from "./trace-rules.js";
import { TracedGroup } from "./traced-group.js";

const change = (...changes: MemberChange[]): { change: ConfigurationChange; mustKeepQuorum: boolean } => {
  return { change: { transition: "auto", changes }, mustKeepQuorum: false };
};

/** Name, replica, and for a message who it goes from and to. */
const brief = ({ name, nid, msg }: StateTraceEvent): string => {
  return msg === undefined ? `${nid} ${name}` : `${nid} ${name} ${msg.type} ${msg.from}>${msg.to}`;
};

function elected(): TracedGroup {
  const group = new TracedGroup([1, 2, 3]);
  group.run(1, { campaign: true });
  return group;
}

describe("a trace in the schema of etcd's TLA+ specification", () => {
  it("tells an election and the first commit line by line", () => {
    const group = elected();
    expect(group.events().slice(0, 6).map(brief)).toEqual(["1", "2", "3"].flatMap((id) => [`${id} InitState`, `${id} BecomeFollower`]));
    expect(
      group
        .events()
        .slice(6)
        .filter(({ nid }) => nid !== "3")
        .map(brief)
        .slice(0, 24),
    ).toEqual([
      "1 BecomeCandidate",
      "1 SendRequestVoteResponse MsgVoteResp 1>1",
      "1 SendRequestVoteRequest MsgVote 1>2",
      "1 SendRequestVoteRequest MsgVote 1>3",
      "1 Ready",
      "1 ReceiveRequestVoteResponse MsgVoteResp 1>1",
      "2 ReceiveRequestVoteRequest MsgVote 1>2",
      "2 BecomeFollower",
      "2 SendRequestVoteResponse MsgVoteResp 2>1",
      "2 Ready",
      "1 ReceiveRequestVoteResponse MsgVoteResp 2>1",
      "1 BecomeLeader",
      "1 Replicate",
      "1 SendAppendEntriesResponse MsgAppResp 1>1",
      "1 SendAppendEntriesRequest MsgApp 1>2",
      "1 SendAppendEntriesRequest MsgApp 1>3",
      "1 Ready",
      "1 ReceiveRequestVoteResponse MsgVoteResp 3>1",
      "1 ReceiveAppendEntriesResponse MsgAppResp 1>1",
      "2 ReceiveAppendEntriesRequest MsgApp 1>2",
      "2 SendAppendEntriesResponse MsgAppResp 2>1",
      "2 Ready",
      "1 ReceiveAppendEntriesResponse MsgAppResp 2>1",
      "1 Commit",
    ]);
  });

  it("has the fields that the specification reads, and as it writes them", () => {
    const group = elected();
    group.run(1, { proposals: [new Uint8Array(3), new Uint8Array(3)] });
    const first = (name: string): StateTraceEvent | undefined => group.events().find((event) => event.name === name && event.nid === "1");
    expect(JSON.parse(group.lines[0] ?? "")).toEqual({
      tag: "trace",
      event: {
        name: "InitState",
        nid: "1",
        state: { term: 0, vote: "0", commit: 0 },
        role: "StateFollower",
        log: 0,
        conf: [["1", "2", "3"], []],
      },
    });
    const message = { term: 1, from: "1", entries: 0, logTerm: 0, index: 0, commit: 0, vote: "0", reject: false, rejectHint: 0 };
    expect(first("SendRequestVoteRequest")).toMatchObject({ role: "StateCandidate", state: { term: 1, vote: "1" } });
    expect(first("SendRequestVoteRequest")?.msg).toEqual({ ...message, type: "MsgVote", to: "2" });
    expect(first("SendAppendEntriesRequest")).toMatchObject({ role: "StateLeader", log: 1, prop: { match: 0, next: 1 } });
    expect(first("SendAppendEntriesRequest")?.msg).toEqual({ ...message, type: "MsgApp", to: "2", entries: 1 });
    expect(first("Commit")).toMatchObject({ state: { term: 1, vote: "1", commit: 1 } });
    // Each entry by itself, with the log as it is before it.
    const replicated = group.events().filter(({ name }) => name === "Replicate");
    expect(replicated.map(({ log }) => log)).toEqual([0, 1, 2]);
    // What a follower is like when a message reaches it, before it is handled.
    expect(group.events().find(({ name }) => name === "ReceiveRequestVoteRequest")).toMatchObject({ state: { term: 0, vote: "0" } });
  });

  it("tells changes of the membership when they are proposed and when they take effect", () => {
    const group = new TracedGroup([1, 2, 3], [4]);
    group.run(1, { campaign: true });
    group.run(1, { change: change({ type: "addLearner", nodeId: 4 }) });
    group.run(1, { change: change({ type: "addVoter", nodeId: 4 }) });
    group.run(1, { change: change({ type: "removeNode", nodeId: 2 }) });
    const told = group.events().filter(({ nid, name }) => nid === "1" && name.endsWith("e") === false && name.includes("Conf"));
    expect(told.filter(({ name }) => name === "ChangeConf").map(({ prop, log }) => [log, prop?.cc])).toEqual([
      [1, { changes: [{ nid: "4", action: "AddLearner" }] }],
      [2, { changes: [{ nid: "4", action: "AddNewServer" }] }],
      [3, { changes: [{ nid: "2", action: "RemoveServer" }] }],
    ]);
    const applied = group.events().filter(({ nid, name }) => nid === "1" && name === "ApplyConfChange");
    expect(applied.map(({ conf, prop }) => [conf[0], prop?.cc?.newconf])).toEqual([
      [
        ["1", "2", "3"],
        ["1", "2", "3"],
      ],
      [
        ["1", "2", "3"],
        ["1", "2", "3", "4"],
      ],
      [
        ["1", "2", "3", "4"],
        ["1", "3", "4"],
      ],
    ]);
    expect(brokenRules(group.events())).toEqual([]);
  });

  it("keeps to the rules, and agrees with the replicas, through random messages, losses and restarts", () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Seeded(seed);
      const group = new TracedGroup([1, 2, 3]);
      for (let turn = 0; turn < 60; turn++) {
        const lossy = random.chance(0.4);
        group.filter = () => !lossy || random.chance(0.7);
        const id = 1 + random.below(3);
        if (random.chance(0.05)) group.at(id).restart();
        else group.run(id, random.pick([{ ticks: 1 }, { ticks: 1 }, { proposals: [random.bytes(2)] }, { campaign: turn % 9 === 0 }]));
        const last = (id: number): StateTraceEvent | undefined => group.events().findLast(({ nid }) => nid === String(id));
        for (const { id: nid, core } of group.replicas) {
          const { currentTerm, commitIndex, lastIndex } = core.status();
          const { state, log } = last(nid) as StateTraceEvent;
          // A follower's commit has no line of its own; it shows in the next one.
          expect({ term: state.term, log }, `seed ${seed}, node ${nid}`).toEqual({ term: currentTerm, log: lastIndex });
          expect(state.commit).toBeLessThanOrEqual(commitIndex);
        }
      }
      expect(brokenRules(group.events()), `seed ${seed}`).toEqual([]);
      for (const { name } of group.events()) seen.add(name);
    }
    expect(seen.size).toBe(15);
  });

  it("is found wrong when lines are missing or out of place", () => {
    const events = elected().events();
    const without = (name: string): StateTraceEvent[] => events.filter((event) => event.name !== name);
    for (const name of ["Ready", "SendAppendEntriesRequest", "ReceiveRequestVoteResponse", "ReceiveAppendEntriesResponse", "Replicate"]) {
      expect(brokenRules(without(name)), name).not.toEqual([]);
    }
    expect(brokenRules([...events].reverse())).not.toEqual([]);
  });

  it("does not tell of messages that never come before the protocol, nor of pre-votes", () => {
    const group = elected();
    const before = group.lines.length;
    const heartbeat: Message = { type: "Heartbeat", group: 0, from: 2, to: 1, term: 1, commitIndex: 0, readRound: 0 };
    const answer: Message = { type: "HeartbeatResponse", group: 0, from: 9, to: 1, term: 1, readRound: 0 };
    const strange: Message[] = [{ ...heartbeat, group: 7 }, { ...heartbeat, commitIndex: -1 }, answer];
    for (const message of strange) group.run(1, { messages: [message] });
    group.run(1, { messages: [{ type: "PreVote", group: 0, from: 2, to: 1, term: 1, lastLogIndex: 0, lastLogTerm: 0 }] });
    expect(
      group
        .events()
        .slice(before)
        .filter(({ msg }) => msg !== undefined),
    ).toEqual([]);
  });

  it("refuses a step in which it could not tell what came before what", () => {
    const { core, trace } = new TracedGroup([1, 2, 3]).at(1);
    const heartbeat: Message = { type: "Heartbeat", group: 0, from: 2, to: 1, term: 1, commitIndex: 0, readRound: 0 };
    const twice = { messages: [heartbeat, heartbeat] };
    expect(() => trace.stepped(twice, core.step(twice))).toThrow(RangeError);
    const mixed = { messages: [heartbeat], durableSequence: 1 };
    expect(() => trace.stepped(mixed, core.step(mixed))).toThrow(/a step of its own/);
  });
});
