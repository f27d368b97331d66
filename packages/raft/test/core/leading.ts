import type { AppendEntries, Message } from "../../src/index.js";
import { accepted, only, vote } from "./messages.js";
import { bytes, type Setup, TestReplica } from "./replica.js";

/** What the paper describes, without what the thesis adds to it. */
export const asInPaper = { preVote: false, checkQuorum: false } as const;

/**
 * A leader whose peers are played by the test: every voter grants its vote. Its no-op is durable at home, and the appends that carry it are
 * lost, so each peer is probed and its flow is paused.
 */
export function leading(setup: Setup = {}, id = 1): TestReplica {
  const replica = new TestReplica(id, { ...setup, options: { preVote: false, ...setup.options } });
  // Where leases are in use, nobody campaigns within an election timeout from its start.
  if (setup.options?.leaseReads === true) replica.step({ ticks: setup.options.electionTicks ?? 10 });
  replica.step({ campaign: true });
  const requests = only("RequestVote", replica.flush());
  replica.answer(...requests.map(({ to, term }) => vote({ from: to, to: id, term })));
  if (replica.status.role !== "leader") throw new Error("the votes were not enough");
  return replica;
}

/** A leader of 1, 2 and 3 that replicates to 2, and has not heard of 3. */
export function replicating(options: Setup["options"] = {}): TestReplica {
  const replica = leading({ options });
  replica.answer(accepted({ from: 2, to: 1, term: 1 }, 1));
  return replica;
}

const appendsTo2 = (messages: readonly Message[]): AppendEntries[] => only("AppendEntries", messages).filter(({ to }) => to === 2);

/** The appends to follower 2: after which index, and how many entries. */
export const said = (messages: readonly Message[]): number[][] =>
  appendsTo2(messages).map(({ prevLogIndex, entries }) => [prevLogIndex, entries.length]);

/** Proposes commands. @returns what goes to follower 2. */
export const propose = (replica: TestReplica, ...texts: string[]): AppendEntries[] =>
  appendsTo2(replica.step({ proposals: texts.map(bytes) }));
