import {
  jointCommittedIndex,
  jointVoteResult,
  majorityCommittedIndex,
  majorityVoteResult,
  unboundedIndex,
  type VoteResult,
} from "../../../packages/raft/src/quorum/index.js";
import type { Directive } from "../data-driven.js";

/** A question about a quorum, as a directive puts it. */
interface Question {
  readonly voters: readonly number[];
  /** Null: a plain majority; empty: a joint quorum whose other half is empty. */
  readonly votersOutgoing: readonly number[] | null;
  /** Everybody, in the order in which the values are given: the first half's, then who is only in the other. */
  readonly everybody: readonly number[];
  readonly values: readonly string[];
}

const voteWords: Readonly<Record<VoteResult, string>> = { won: "VoteWon", lost: "VoteLost", pending: "VotePending" };

/** Answers `committed` and `vote`. */
export function replayQuorum(directive: Directive): string {
  if (directive.command === "committed") return describeCommitted(ask(directive, "idx"));
  if (directive.command === "vote") return describeVote(ask(directive, "votes"));
  throw new Error(`unknown command ${directive.command}`);
}

function ask({ args, input }: Directive, valuesKey: string): Question {
  if (input.length > 0) throw new Error("questions about quorums take no input");
  let voters: number[] = [];
  let votersOutgoing: number[] | null = null;
  let values: readonly string[] = [];
  for (const argument of args) {
    if (argument.key === "cfg") voters = argument.values.map(parseNatural);
    else if (argument.key === "cfgj") votersOutgoing = argument.values.join() === "zero" ? [] : argument.values.map(parseNatural);
    else if (argument.key === valuesKey) values = argument.values;
    else throw new Error(`unknown argument ${argument.key}`);
  }
  const everybody = [...new Set([...voters, ...(votersOutgoing ?? [])])];
  if (values.length !== everybody.length) throw new Error(`${values.length} values for ${everybody.length} voters`);
  return { voters, votersOutgoing, everybody, values };
}

function parseNatural(word: string): number {
  if (!/^\d+$/.test(word)) throw new Error(`${word} is no number`);
  return Number(word);
}

function describeCommitted(question: Question): string {
  const { everybody, values } = question;
  const known = new Map<number, number>();
  for (const [at, id] of everybody.entries()) {
    const value = values[at];
    if (value !== undefined && value !== "_") known.set(id, parseNatural(value));
  }
  const committed = committedIndex(question, known);
  checkCommitted(question, known, committed);
  const text = committed === unboundedIndex ? "∞" : String(committed);
  return everybody.length === 0 ? `<empty majority quorum>${text}` : `${drawIndexes(everybody, known)}\n${text}`;
}

function committedIndex({ voters, votersOutgoing }: Question, known: ReadonlyMap<number, number>): number {
  const matchIndexOf = (id: number): number => known.get(id) ?? 0;
  return votersOutgoing === null ? majorityCommittedIndex(voters, matchIndexOf) : jointCommittedIndex(voters, votersOutgoing, matchIndexOf);
}

/** A bar for each voter, as long as there are voters behind it. */
function drawIndexes(everybody: readonly number[], known: ReadonlyMap<number, number>): string {
  const width = everybody.length;
  const indexes = everybody.map((id) => known.get(id) ?? 0);
  const rows = [...everybody]
    .sort((a, b) => a - b)
    .map((id) => {
      const index = known.get(id) ?? 0;
      const behind = indexes.filter((other) => other < index).length;
      const bar = known.has(id) ? `${"x".repeat(behind)}>` : "?";
      return `${bar.padEnd(width + 1)} ${String(index).padStart(5)}    (id=${id})`;
    });
  return [`${" ".repeat(width)}    idx`, ...rows].join("\n");
}

/** What must hold of every answer, beyond the printed one. */
function checkCommitted(question: Question, known: ReadonlyMap<number, number>, committed: number): void {
  const { voters, votersOutgoing, everybody } = question;
  const expectSame = (what: string, other: Question, indexes = known): void => {
    const index = committedIndex(other, indexes);
    if (index !== committed) throw new Error(`${what} commits ${index}, not ${committed}`);
  };
  if (votersOutgoing === null) {
    expectSame("joint with nobody", { ...question, votersOutgoing: [] });
    expectSame("joint with itself", { ...question, votersOutgoing: voters });
  } else {
    expectSame("the halves swapped", { ...question, voters: votersOutgoing, votersOutgoing: voters });
  }
  for (const id of everybody) {
    const index = known.get(id) ?? 0;
    // Whoever is behind the committed index has no say in it, however far behind.
    if (index > 0 && index < committed) {
      expectSame(`voter ${id} at ${index - 1}`, question, new Map(known).set(id, index - 1));
      expectSame(`voter ${id} at 0`, question, new Map(known).set(id, 0));
    }
  }
}

function describeVote({ voters, votersOutgoing, everybody, values }: Question): string {
  const votes = new Map<number, boolean>();
  for (const [at, id] of everybody.entries()) {
    const value = values[at] ?? "";
    if (!["y", "n", "_"].includes(value)) throw new Error(`${value} is no vote`);
    if (value !== "_") votes.set(id, value === "y");
  }
  const voteOf = (id: number): boolean | undefined => votes.get(id);
  const result = votersOutgoing === null ? majorityVoteResult(voters, voteOf) : jointVoteResult(voters, votersOutgoing, voteOf);
  const others =
    votersOutgoing === null
      ? [jointVoteResult(voters, [], voteOf), jointVoteResult([], voters, voteOf), jointVoteResult(voters, voters, voteOf)]
      : [jointVoteResult(votersOutgoing, voters, voteOf)];
  if (others.some((other) => other !== result)) throw new Error(`${result}, but ${others.join(", ")} as an equal joint quorum`);
  return voteWords[result];
}
