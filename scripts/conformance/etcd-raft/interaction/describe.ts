import { describeConfiguration } from "../describe.js";
import type { Parcel } from "./parcel.js";
import {
  type Configuration,
  type ConfigurationChange,
  decodeConfiguration,
  decodeConfigurationChange,
  type Entry,
  type HardState,
  type MemberChange,
  type PeerProgress,
  type Role,
  type SnapshotMetadata,
  type Transition,
} from "./raft.js";

/** The data of configuration entries that were proposed as single changes: etcd has a type of its own for them, we do not. */
export const singleChanges: WeakSet<Uint8Array> = new WeakSet();

export const roleNames: Readonly<Record<Role, string>> = {
  follower: "StateFollower",
  preCandidate: "StatePreCandidate",
  candidate: "StateCandidate",
  leader: "StateLeader",
};

const progressNames = { probe: "StateProbe", replicate: "StateReplicate", snapshot: "StateSnapshot" } as const;

const changeLetters: Readonly<Record<MemberChange["type"], string>> = { addVoter: "v", addLearner: "l", removeNode: "r", updateNode: "u" };

const changeNames: Readonly<Record<MemberChange["type"], string>> = {
  addVoter: "ConfChangeAddNode",
  addLearner: "ConfChangeAddLearnerNode",
  removeNode: "ConfChangeRemoveNode",
  updateNode: "ConfChangeUpdateNode",
};

const transitionNames: Readonly<Record<Transition, string>> = {
  auto: "ConfChangeTransitionAuto",
  implicit: "ConfChangeTransitionJointImplicit",
  explicit: "ConfChangeTransitionJointExplicit",
};

/** A parcel in one or more lines, none of which ends the text. */
export function describeParcel(parcel: Parcel, withResponses = true, indent = ""): string {
  const { type, from, to, term, logTerm, index, rejectHint, commit, vote, detail, entries, snapshot } = parcel;
  const words = [`${indent}${party(from)}->${party(to)}`, type, `Term:${term}`, `Log:${logTerm}/${index}`];
  if (rejectHint !== null) words.push(`Rejected (Hint: ${rejectHint})`);
  if (commit !== 0) words.push(`Commit:${commit}`);
  if (vote !== 0) words.push(`Vote:${vote}`);
  if (detail !== "") words.push(detail);
  if (entries.length > 0) words.push(`Entries:[${entryList(entries, indent)}]`);
  let text = words.join(" ");
  if (snapshot !== null) text += `\n${indent}  Snapshot: ${describeSnapshot(snapshot)}`;
  if (!withResponses || parcel.responses.length === 0) return text;
  const responses = parcel.responses.map((response) => `${describeParcel(response, true, `${indent}  `)}\n`);
  return `${text} Responses:[\n${responses.join("")}${indent}]`;
}

function party(who: Parcel["from"]): string {
  return typeof who === "number" ? hexadecimal(who) : who;
}

/** An id as etcd's messages and log lines show it. */
export function hexadecimal(id: number): string {
  return id.toString(16);
}

function entryList(entries: readonly Entry[], indent: string): string {
  const [first] = entries;
  if (first !== undefined && entries.length === 1) return describeEntry(first);
  return `${entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`).join("")}\n${indent}`;
}

export function describeEntry({ term, index, kind, data }: Entry): string {
  const place = `${term}/${index}`;
  if (kind === "founding") {
    const decoded = decodeConfiguration(data);
    return `${place} EntryFounding ${decoded.accepted ? describeConfiguration(decoded.value) : decoded.refusal.message}`;
  }
  if (kind !== "configuration") return `${place} EntryNormal ${quote(data)}`;
  const type = singleChanges.has(data) ? "EntryConfChange" : "EntryConfChangeV2";
  const decoded = decodeConfigurationChange(data);
  const changes = decoded.accepted
    ? decoded.value.changes.map((change) => `${changeLetters[change.type]}${change.nodeId}`)
    : [decoded.refusal.message];
  return [place, type, ...changes].join(" ");
}

/** Bytes as Go's `%q` shows them, as far as scenarios write them: printable ASCII as it is, the rest escaped. */
function quote(data: Uint8Array): string {
  let text = "";
  for (const byte of data) {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === "\\") text += `\\${character}`;
    else if (byte >= 0x20 && byte < 0x7f) text += character;
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${text}"`;
}

export function describeHardState({ currentTerm, votedFor, commitIndex }: HardState): string {
  return `Term:${currentTerm}${votedFor === 0 ? "" : ` Vote:${votedFor}`} Commit:${commitIndex}`;
}

export function describeSnapshot({ index, term, configuration }: SnapshotMetadata): string {
  return `Index:${index} Term:${term} ConfState:${describeMembers(configuration)}`;
}

function describeMembers({ voters, votersOutgoing, learners, learnersNext, autoLeave }: Configuration): string {
  const list = (ids: readonly number[]): string => `[${ids.join(" ")}]`;
  const half = `Voters:${list(voters)} VotersOutgoing:${list(votersOutgoing)}`;
  return `${half} Learners:${list(learners)} LearnersNext:${list(learnersNext)} AutoLeave:${autoLeave}`;
}

export function describeChange({ transition, changes }: ConfigurationChange): string {
  const words = [`transition:${transitionNames[transition]}`];
  for (const { type, nodeId } of changes) words.push(`changes:{type:${changeNames[type]} node_id:${nodeId}}`);
  return words.join(" ");
}

export function describeProgress(progress: PeerProgress): string {
  const words = [progressNames[progress.state], `match=${progress.matchIndex}`, `next=${progress.nextIndex}`];
  if (progress.isLearner) words.push("learner");
  if (progress.paused) words.push("paused");
  if (progress.pendingSnapshot > 0) words.push(`pendingSnap=${progress.pendingSnapshot}`);
  if (!progress.recentlyActive) words.push("inactive");
  if (progress.inflight > 0) words.push(`inflight=${progress.inflight}${progress.isInflightFull ? "[full]" : ""}`);
  return words.join(" ");
}
