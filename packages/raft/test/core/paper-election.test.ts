import { describe, expect, it } from "vitest";
import type { Message } from "../../src/index.js";
import { group, TestCluster, TestReplica } from "./cluster.js";
import { asInPaper, leading } from "./leading.js";
import { accepted, append, heartbeat, heartbeatAnswer, only, requestVote, vote } from "./messages.js";

const options = asInPaper;
const follower = (term: number): TestReplica => new TestReplica(1, { options, hardState: { currentTerm: term } });

function candidate(term: number): TestReplica {
  const replica = follower(term - 1);
  replica.step({ campaign: true });
  replica.flush();
  return replica;
}

describe("Raft §5.1, terms", () => {
  const later = { from: 2, to: 1, term: 5 };
  const messages: Record<string, Message> = {
    AppendEntries: append(later, [0, 0], []),
    AppendEntriesResponse: accepted(later, 0),
    Heartbeat: heartbeat(later),
    HeartbeatResponse: heartbeatAnswer(later),
    RequestVote: requestVote(later),
    RequestVoteResponse: vote(later, false),
  };

  it.each(Object.entries(messages))("§5.1: takes over a larger term from %s, in every role", (_, message) => {
    for (const replica of [follower(1), candidate(2), leading({ options, hardState: { currentTerm: 1 } })]) {
      replica.answer(message);
      expect(replica.status).toMatchObject({ currentTerm: 5, role: "follower" });
      expect(replica.disk.hardState.currentTerm).toBe(5);
    }
  });

  it("§5.1: a candidate or leader that learns of a later term reverts to follower at once", () => {
    const replica = leading({ options });
    replica.receive(heartbeatAnswer({ from: 2, to: 1, term: 7 }));
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 7, leaderId: 0 });
  });

  it("§5.1: a request of an earlier term changes nothing (departure: a RequestVote gets no answer, an append ours)", () => {
    const stale = { from: 2, to: 1, term: 4 };
    for (const message of [append(stale, [0, 0], [4]), heartbeat(stale), requestVote(stale, 9, 4)]) {
      const replica = follower(5);
      expect(replica.answer(message)).toEqual([]);
      expect(replica.status).toMatchObject({ currentTerm: 5, lastIndex: 0, votedFor: 0, leaderId: 0 });
    }
    const withCheck = new TestReplica(1, { hardState: { currentTerm: 5 } });
    expect(withCheck.answer(append(stale, [0, 0], [4]))).toMatchObject([{ type: "AppendEntriesResponse", term: 5, index: 0 }]);
    expect(withCheck.status).toMatchObject({ currentTerm: 5, lastIndex: 0, leaderId: 0 });
  });

  it("§5.1: the current term never falls, restarts included", () => {
    const replica = follower(1);
    replica.answer(heartbeat({ from: 2, to: 1, term: 6 }));
    replica.restart();
    replica.answer(heartbeat({ from: 2, to: 1, term: 3 }));
    expect(replica.status.currentTerm).toBe(6);
  });
});

describe("Raft §5.2, leader election", () => {
  it("§5.2: starts as a follower", () => {
    expect(new TestReplica(1).status).toMatchObject({ role: "follower", leaderId: 0 });
  });

  it("§5.2: stays a follower as long as a leader or a candidate that it votes for speaks", () => {
    const replica = follower(1);
    const speech = [
      heartbeat({ from: 2, to: 1, term: 1 }),
      append({ from: 2, to: 1, term: 1 }, [0, 0], []),
      requestVote({ from: 3, to: 1, term: 2 }),
    ];
    for (const message of speech) {
      replica.step({ ticks: 10 });
      replica.answer(message);
    }
    replica.step({ ticks: 10 });
    expect(replica.status).toMatchObject({ role: "follower", votedFor: 3 });
    replica.step({ ticks: 1 });
    expect(replica.status.role).toBe("candidate");
  });

  it("§5.2: a vote given in the term it is in already puts the own election off as well", () => {
    const replica = follower(2);
    replica.step({ ticks: 10 });
    expect(replica.answer(requestVote({ from: 3, to: 1, term: 2 }))).toMatchObject([{ granted: true }]);
    replica.step({ ticks: 10 });
    expect(replica.status.role).toBe("follower");
  });

  it("§5.2: a refused vote does not put the own election off", () => {
    const replica = new TestReplica(1, { options, log: [1, 2] });
    replica.step({ ticks: 10 });
    expect(only("RequestVoteResponse", replica.answer(requestVote({ from: 3, to: 1, term: 2 }, 5, 1)))).toMatchObject([{ granted: false }]);
    replica.step({ ticks: 1 });
    expect(replica.status.role).toBe("candidate");
  });

  it("§5.2: a leader sends heartbeats to everybody, all the time", () => {
    const leader = leading({ options: { ...options, heartbeatTicks: 2 }, configuration: group([1, 2, 3, 4, 5]) });
    expect(only("Heartbeat", leader.step({ ticks: 1 }))).toEqual([]);
    for (let beat = 0; beat < 5; beat++) {
      expect(only("Heartbeat", leader.step({ ticks: 1 })).map(({ to }) => to)).toEqual([2, 3, 4, 5]);
      leader.step({ ticks: 1 });
    }
  });

  it("§5.2: begins an election when nobody spoke for an election timeout: next term, own vote, requests to all at once", () => {
    const replica = new TestReplica(1, { options, log: [1, 2], configuration: group([1, 2, 3, 4, 5]) });
    replica.step({ ticks: 11 });
    expect(replica.status).toMatchObject({ role: "candidate", currentTerm: 3, votedFor: 1, leaderId: 0 });
    const requests = only("RequestVote", replica.flush());
    expect(requests).toMatchObject([2, 3, 4, 5].map((to) => requestVote({ from: 1, to, term: 3 }, 2, 2)));
  });

  const outcomes: [voters: number, granted: number[], refused: number[], role: string][] = [
    [1, [], [], "leader"],
    [3, [2], [], "leader"],
    [3, [2], [3], "leader"],
    [3, [], [3], "candidate"],
    [3, [], [2, 3], "follower"],
    [5, [2], [], "candidate"],
    [5, [2, 3], [4, 5], "leader"],
    [5, [2], [3, 4, 5], "follower"],
    [4, [2], [3], "candidate"],
    [4, [2, 3], [], "leader"],
    [2, [], [], "candidate"],
  ];
  it.each(outcomes)("§5.2: of %i voters, with votes of %j and refusals of %j, it is a %s", (size, granted, refused, role) => {
    const replica = new TestReplica(1, { options, configuration: group(Array.from({ length: size }, (_, i) => i + 1)) });
    replica.step({ campaign: true });
    replica.flush();
    for (const from of granted) replica.answer(vote({ from, to: 1, term: 1 }));
    for (const from of refused) replica.answer(vote({ from, to: 1, term: 1 }, false));
    expect(replica.status).toMatchObject({ role, currentTerm: 1 });
  });

  it("§5.2: counts a voter once, however often it answers, and its first word stands", () => {
    const replica = new TestReplica(1, { options, configuration: group([1, 2, 3, 4, 5]) });
    replica.step({ campaign: true });
    replica.flush();
    replica.answer(vote({ from: 2, to: 1, term: 1 }), vote({ from: 2, to: 1, term: 1 }), vote({ from: 2, to: 1, term: 1 }));
    expect(replica.status.role).toBe("candidate");
    replica.answer(vote({ from: 3, to: 1, term: 1 }, false), vote({ from: 3, to: 1, term: 1 }, true));
    expect(replica.status.role).toBe("candidate");
  });

  it("§5.2: votes for at most one candidate in a term, first come, first served", () => {
    const voter = follower(0);
    const answers = voter.answer(requestVote({ from: 2, to: 1, term: 1 }), requestVote({ from: 3, to: 1, term: 1 }));
    expect(answers).toMatchObject([vote({ from: 1, to: 2, term: 1 }), vote({ from: 1, to: 3, term: 1 }, false)]);
    expect(voter.answer(requestVote({ from: 3, to: 1, term: 2 }))).toMatchObject([vote({ from: 1, to: 3, term: 2 })]);
  });

  it("§5.2 (departure): whoever follows the leader of a term votes for nobody else in it, though it has not voted", () => {
    const voter = follower(0);
    voter.answer(heartbeat({ from: 2, to: 1, term: 1 }));
    expect(voter.status).toMatchObject({ votedFor: 0, leaderId: 2 });
    expect(voter.answer(requestVote({ from: 3, to: 1, term: 1 }, 9, 1))).toMatchObject([{ granted: false }]);
  });

  it("§5.5 (departure): a request that was lost is not repeated in its term; the next election asks again, all of them", () => {
    const replica = candidate(1);
    expect(only("RequestVote", [...replica.step({ ticks: 10 }), ...replica.flush()])).toEqual([]);
    replica.step({ ticks: 1 });
    expect(only("RequestVote", replica.flush())).toMatchObject([2, 3].map((to) => ({ to, term: 2 })));
  });

  it("§5.2: a new leader speaks to everybody at once, so that nobody begins another election", () => {
    const replica = follower(0);
    replica.step({ campaign: true });
    replica.flush();
    expect(only("AppendEntries", replica.receive(vote({ from: 2, to: 1, term: 1 }))).map(({ to }) => to)).toEqual([2, 3]);
  });

  it("§5.2: a candidate follows a leader of its own or a later term, and not one of an earlier", () => {
    for (const term of [2, 3]) {
      const replica = candidate(2);
      replica.answer(append({ from: 2, to: 1, term }, [0, 0], []));
      expect(replica.status).toMatchObject({ role: "follower", currentTerm: term, leaderId: 2 });
    }
    const replica = candidate(2);
    replica.answer(append({ from: 2, to: 1, term: 1 }, [0, 0], []));
    expect(replica.status).toMatchObject({ role: "candidate", currentTerm: 2 });
  });

  it("§5.2: after a split vote, a candidate times out and begins another election in a new term", () => {
    const replica = candidate(1);
    replica.step({ ticks: 10 });
    expect(replica.status.currentTerm).toBe(1);
    replica.step({ ticks: 1 });
    expect(replica.status).toMatchObject({ role: "candidate", currentTerm: 2, votedFor: 1 });
    expect(only("RequestVote", replica.flush()).map(({ term }) => term)).toEqual([2, 2]);
    // Votes of the election before are worth nothing.
    replica.answer(vote({ from: 2, to: 1, term: 1 }));
    expect(replica.status.role).toBe("candidate");
  });

  it("§5.2: a split vote comes to an end: timeouts differ", () => {
    const cluster = new TestCluster(4, options);
    // Both ask before either's request arrives, so each gets one vote besides its own.
    const requests = [1, 2].flatMap((id) => [...cluster.at(id).step({ campaign: true }), ...cluster.at(id).flush()]);
    const [first, second] = [
      requests.filter(({ from, to }) => from === 1 && to === 3),
      requests.filter(({ from, to }) => from === 2 && to === 4),
    ];
    cluster.settle([...first, ...second]);
    expect([1, 2].map((id) => cluster.at(id).status.role)).toEqual(["candidate", "candidate"]);
    cluster.tick(11);
    expect(cluster.leader).toMatchObject({ id: 1 });
    expect(cluster.leader.status.currentTerm).toBe(2);
  });
});
