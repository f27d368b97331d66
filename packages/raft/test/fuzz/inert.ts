import type { Configuration, Entry, Message, MessageType } from "../../src/index.js";
import type { Seeded } from "../property/seeded.js";
import { anyTerm, configurationOf, otherMember, plausible, responses, strangers, types, type Victim } from "./plausible.js";

const nonsense: readonly unknown[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  -7,
  0.5,
  2 ** 53,
  2 ** 60,
  -(2 ** 53),
  "1",
  null,
  undefined,
  {},
];
/** Fields in which a number that makes no sense must be noticed, by type; besides those of the envelope. */
const counted: Readonly<Partial<Record<MessageType, readonly string[]>>> = {
  AppendEntries: ["prevLogIndex", "prevLogTerm", "leaderCommit"],
  AppendEntriesResponse: ["index", "hintIndex"],
  RequestVote: ["lastLogIndex", "lastLogTerm"],
  PreVote: ["lastLogIndex", "lastLogTerm"],
  Heartbeat: ["commitIndex", "readRound"],
  HeartbeatResponse: ["readRound"],
  ReadIndex: ["requestId"],
  ReadIndexResponse: ["requestId", "index"],
};

const unsound: readonly Configuration[] = [
  configurationOf({ voters: [3, 2, 1] }),
  configurationOf({ voters: [1, 1, 2] }),
  configurationOf({ voters: [1, 2, 0] }),
  configurationOf({ voters: [1, 2.5] }),
  configurationOf({ voters: [1, Number.NaN] }),
  configurationOf({ voters: [], learners: [1] }),
  configurationOf({ learners: [2] }),
  configurationOf({ learnersNext: [2] }),
  configurationOf({ autoLeave: true }),
  configurationOf({ voters: Array.from({ length: 1025 }, (_, at) => at + 1) }),
];

/** A message that must be dropped without a trace but for the drop itself, whoever sent it and whatever the replica is doing. */
export function inert(victim: Victim): Message {
  const { random } = victim;
  const type = random.pick(types);
  const anybody = random.chance(0.5) ? otherMember(victim) : random.pick(strangers);
  const message = plausible(victim, type, anybody, anyTerm(victim));
  switch (random.below(8)) {
    case 0:
      return { ...message, group: random.pick([1, -1, Number.NaN, 2 ** 53]) };
    case 1:
      return { ...message, to: random.pick([0, 9, otherMember(victim), Number.NaN]) };
    case 2:
      return { ...message, from: random.pick([...nonsense, 0]) } as Message;
    case 3:
      return { ...message, term: random.pick(nonsense) } as Message;
    case 4:
      return { ...message, type: random.pick(["Nonsense", "", "__proto__", "constructor", null]) } as unknown as Message;
    case 5:
      return plausible(victim, random.pick(responses), random.pick(strangers), anyTerm(victim));
    case 6:
      return deformed(victim, message);
    default:
      return random.chance(0.5)
        ? unsoundSnapshot(victim, anybody)
        : plausible(victim, random.pick(["ForwardProposals", "ForwardProposalsResponse"]), anybody, 0);
  }
}

/** One number of the message's own is no number, or its entries do not follow each other. */
function deformed(victim: Victim, message: Message): Message {
  const { random } = victim;
  const fields = counted[message.type];
  if (message.type === "AppendEntries" && random.chance(0.6)) return withBadEntries(random, message);
  if (message.type === "AppendEntriesResponse" && random.chance(0.2))
    return { ...message, hintTerm: random.pick([-2, 0.5, 2 ** 53, Number.NaN]) };
  if (message.type === "RequestVoteResponse" || message.type === "PreVoteResponse") return { ...message, granted: 1 } as unknown as Message;
  if (fields === undefined) return { ...message, term: Number.NaN };
  return { ...message, [random.pick(fields)]: random.pick(nonsense) } as Message;
}

function withBadEntries(random: Seeded, message: Message & { type: "AppendEntries" }): Message {
  const { prevLogIndex: at, prevLogTerm, term } = message;
  const entry = (index: number, entryTerm: number): Entry => ({ index, term: entryTerm, kind: "command", data: new Uint8Array(1) });
  const entries = random.pick([
    [entry(at, prevLogTerm)],
    [entry(at + 2, prevLogTerm)],
    [entry(at + 1, term), entry(at + 3, term)],
    [entry(at + 2, term), entry(at + 1, term)],
    [entry(at + 1, prevLogTerm - 1)],
    [entry(at + 1, Number.NaN)],
    [entry(at + 1, term + 1)],
    [entry(Number.NaN, term)],
  ]);
  return { ...message, entries };
}

function unsoundSnapshot(victim: Victim, from: number): Message {
  const { random, status } = victim;
  const snapshot = random.pick([
    { index: 9, term: 1, configuration: random.pick(unsound) },
    { index: 0, term: 1, configuration: configurationOf({}) },
    { index: 9, term: 0, configuration: configurationOf({}) },
    { index: 2 ** 53, term: 1, configuration: configurationOf({}) },
    { index: 9, term: 2 ** 53, configuration: configurationOf({}) },
    { index: 9, term: status.currentTerm + 50, configuration: configurationOf({}) },
  ]);
  return { type: "InstallSnapshot", group: 0, from, to: status.id, term: status.currentTerm + random.below(3), snapshot };
}
