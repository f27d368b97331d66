import type { NodeId } from "@octopii/interfaces";
import type { Index } from "../types.js";
import type { MemberChange } from "./change.js";
import { ascending, type Configuration } from "./configuration.js";
import type { MemberProgress, Membership } from "./membership.js";

/** A member's parts, side by side, so that no combination of steps can leave it in two lists that exclude each other. */
interface Member {
  votes: boolean;
  votesOutgoing: boolean;
  learns: "no" | "now" | "afterJoint";
  /** What it had before the change; null for one whose progress begins anew. */
  known: MemberProgress | null;
}

/** A membership taken apart for a change; it is put together again by {@link Roster.toMembership}. */
export class Roster {
  readonly #members = new Map<NodeId, Member>();
  #autoLeave: boolean;

  constructor({ configuration, progress }: Membership) {
    this.#autoLeave = configuration.autoLeave;
    for (const record of progress) {
      this.#members.set(record.id, { votes: false, votesOutgoing: false, learns: "no", known: record });
    }
    for (const id of configuration.voters) this.#member(id).votes = true;
    for (const id of configuration.votersOutgoing) this.#member(id).votesOutgoing = true;
    for (const id of configuration.learners) this.#member(id).learns = "now";
    for (const id of configuration.learnersNext) this.#member(id).learns = "afterJoint";
  }

  get hasVoters(): boolean {
    for (const member of this.#members.values()) if (member.votes) return true;
    return false;
  }

  /** The voters of now become the outgoing half as well. */
  splitVoters(autoLeave: boolean): void {
    this.#autoLeave = autoLeave;
    for (const member of this.#members.values()) member.votesOutgoing = member.votes;
  }

  /** The outgoing half loses its votes, and whoever was in nothing else is gone. */
  dropOutgoing(): void {
    this.#autoLeave = false;
    for (const [id, member] of this.#members) {
      member.votesOutgoing = false;
      if (member.learns === "afterJoint") member.learns = "now";
      this.#forgetIdle(id, member);
    }
  }

  perform(changes: readonly MemberChange[]): void {
    for (const { type, nodeId } of changes) {
      if (nodeId === 0) continue;
      if (type === "addVoter") this.#addVoter(nodeId);
      else if (type === "addLearner") this.#addLearner(nodeId);
      else if (type === "removeNode") this.#remove(nodeId);
    }
  }

  toMembership(lastIndex: Index): Membership {
    const ids = [...this.#members.keys()].sort(ascending);
    const pick = (has: (member: Member) => boolean): NodeId[] => ids.filter((id) => has(this.#member(id)));
    const configuration: Configuration = {
      voters: pick((member) => member.votes),
      votersOutgoing: pick((member) => member.votesOutgoing),
      learners: pick((member) => member.learns === "now"),
      learnersNext: pick((member) => member.learns === "afterJoint"),
      autoLeave: this.#autoLeave,
    };
    return { configuration, progress: ids.map((id) => this.#progressOf(id, lastIndex)) };
  }

  /** Members that kept what was known of them. */
  keptMembers(): Set<NodeId> {
    const kept = new Set<NodeId>();
    for (const [id, member] of this.#members) if (member.known !== null) kept.add(id);
    return kept;
  }

  #addVoter(id: NodeId): void {
    const member = this.#member(id);
    member.votes = true;
    member.learns = "no";
  }

  #addLearner(id: NodeId): void {
    const member = this.#member(id);
    member.votes = false;
    // While its old vote counts it cannot be a learner yet: who takes part in decisions must be treated as a voter.
    member.learns = member.votesOutgoing ? "afterJoint" : "now";
  }

  #remove(id: NodeId): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.votes = false;
    member.learns = "no";
    this.#forgetIdle(id, member);
  }

  #forgetIdle(id: NodeId, member: Member): void {
    if (!member.votes && !member.votesOutgoing && member.learns === "no") this.#members.delete(id);
  }

  #member(id: NodeId): Member {
    let member = this.#members.get(id);
    if (member === undefined) {
      member = { votes: false, votesOutgoing: false, learns: "no", known: null };
      this.#members.set(id, member);
    }
    return member;
  }

  #progressOf(id: NodeId, lastIndex: Index): MemberProgress {
    const { known, learns } = this.#member(id);
    const isLearner = learns === "now";
    if (known === null) return { id, matchIndex: 0, nextIndex: Math.max(lastIndex, 1), isLearner };
    return known.isLearner === isLearner ? known : { ...known, isLearner };
  }
}
