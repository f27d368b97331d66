import { isCoreError, type MemberStatus, type NodeStatus } from "@octopii/core";
import type { Scheduler, Timer } from "@octopii/interfaces";
import type { SeededRandom, World } from "@octopii/testing";
import type { DamageAtlas } from "../nemesis/damage-atlas.js";
import type { RaftOracle } from "../oracles/raft-oracle.js";
import { OracleViolation } from "../oracles/violation.js";
import { type ChangeKind, harmlessChanges } from "../plan/kinds.js";
import { type ClusterPlan, isKept } from "../plan/plan.js";
import { type ChurnRequest, ChurnRequests } from "./churn-request.js";
import type { Fleet } from "./fleet.js";
import type { SimulatedMember } from "./simulated-member.js";

/** Longer than any call may take on a live node. */
const patienceMs = 5_000;
/** Requests that are under way at once. */
const pendingMax = 3;

/** What a churn works with. */
export interface ChurnParts {
  readonly world: World;
  readonly fleet: Fleet;
  readonly plan: ClusterPlan;
  readonly oracle: RaftOracle;
  readonly atlas: DamageAtlas;
  readonly onViolation: (violation: OracleViolation) => void;
}

/**
 * An operator who changes the membership, hands leadership over, and takes snapshots, through whoever leads, while the cluster is under
 * attack. It knows of the cluster only what a node's `status` says: whether a call that failed has happened all the same shows there or nowhere.
 * What a call says is done is held against the oracle.
 */
export class Churn {
  /** Requests by kind, and those that were done. */
  readonly counts: Record<string, number> = {};
  /** How many times the operator looked whether to act. */
  acts = 0;
  /** Whether any request was made that may change who votes. */
  touchesVoters = false;
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #fleet: Fleet;
  readonly #plan: ClusterPlan;
  readonly #atlas: DamageAtlas;
  readonly #source: SeededRandom;
  readonly #delays: SeededRandom;
  #random: SeededRandom;
  readonly #requests: ChurnRequests;
  readonly #onViolation: (violation: OracleViolation) => void;
  /** The applied index at which a leader last named each member. */
  readonly #seenAt = new Map<number, number>();
  readonly #removed = new Set<number>();
  #learnersWanted: number;
  #timer: Timer | null = null;
  #pending = 0;

  constructor({ world, fleet, plan, oracle, atlas, onViolation }: ChurnParts) {
    this.#world = world;
    this.#scheduler = world.scheduler();
    this.#fleet = fleet;
    this.#plan = plan;
    this.#atlas = atlas;
    this.#source = world.random.fork("churn");
    this.#delays = this.#source.fork("delays");
    this.#random = this.#source;
    this.#requests = new ChurnRequests(oracle);
    this.#onViolation = onViolation;
    this.#learnersWanted = plan.learners;
  }

  start(): void {
    if (this.#learnersWanted > 0 || this.#plan.changes.length > 0 || this.#plan.repairs) this.#schedule();
  }

  /** Asks for nothing any more; what is under way comes to its end. */
  stop(): void {
    this.#timer?.cancel();
  }

  get isDone(): boolean {
    return this.#pending === 0;
  }

  #schedule(): void {
    this.#timer = this.#scheduler.setTimer(1 + this.#delays.exponential(this.#plan.meanMsBetweenChanges), () => {
      this.#act();
      this.#schedule();
    });
  }

  #act(): void {
    const number = ++this.acts;
    if (!isKept(this.#plan.keep.changes, number)) return;
    // Each act draws from its own numbers, so that one can be left out and the others stay as they were.
    this.#random = this.#source.fork(`act ${number}`);
    const leader = this.#fleet.leader();
    if (leader === null || this.#pending >= pendingMax) return;
    this.#learn(leader.status);
    if (this.#repair(leader)) return;
    const isLearnerDue = this.#learnersWanted > 0;
    if (!isLearnerDue && this.#plan.changes.length === 0) return;
    const kind = isLearnerDue ? "learner" : this.#random.pick(this.#plan.changes);
    // Now and then somebody is asked who cannot do it.
    const asked = isOfAnyone(kind) || this.#random.chance(1, 12) ? this.#random.pick(this.#fleet.members) : leader.member;
    const request = this.#draw(kind, leader.status);
    if (request === null || asked.node === null) return;
    if (isLearnerDue) this.#learnersWanted--;
    this.#ask(kind, request, asked);
  }

  /** Puts a new machine in the place of one whose log is lost. */
  #repair({ member, status }: { member: SimulatedMember; status: NodeStatus }): boolean {
    const lost = this.#plan.repairs ? status.members.find(({ id }) => this.#atlas.damaged.has(id)) : undefined;
    if (lost === undefined || lost.id === member.id || this.#pending > 0) return false;
    const newcomer = this.#newcomer(status.members, false, this.#atlas.damaged.size);
    if (newcomer !== null) this.#ask("repair", this.#requests.replace(lost.id, newcomer), member);
    return newcomer !== null;
  }

  #draw(kind: ChangeKind, { members }: NodeStatus): ChurnRequest | null {
    const voters = members.filter(({ membership }) => membership === "voter");
    // What cannot be done to a lone voter is tried now and then all the same.
    const isLone = voters.length < 2 && !this.#random.chance(1, 10);
    const voter = isLone ? null : this.#random.pick(voters);
    switch (kind) {
      case "campaign":
        return this.#requests.campaign();
      case "snapshot":
        return this.#requests.snapshot();
      case "transfer":
        return voter && this.#requests.transfer(voter.id);
      case "demote":
        return voter && this.#requests.addLearner({ id: voter.id, address: voter.address ?? "" });
      case "remove":
        return this.#drawRemoval(isLone ? members.filter(({ membership }) => membership === "learner") : members);
      default:
        break;
    }
    const newcomer = this.#newcomer(members, kind !== "learner");
    if (newcomer === null) return null;
    if (kind === "learner") return this.#requests.addLearner(newcomer);
    if (kind === "voter") return this.#requests.addVoter(newcomer);
    const replaced = voters.length === 0 ? null : this.#random.pick(voters);
    return replaced && this.#requests.replace(replaced.id, newcomer);
  }

  #drawRemoval(members: readonly MemberStatus[]): ChurnRequest | null {
    return members.length === 0 ? null : this.#requests.remove(this.#random.pick(members).id);
  }

  /** A machine that may become a member: one that is there for nothing, a new one, or, if it is to vote, a learner. */
  #newcomer(members: readonly MemberStatus[], orLearner: boolean, extra: number = 0): SimulatedMember | null {
    const isMember = (id: number): boolean => members.some((member) => member.id === id);
    const isLearner = (id: number): boolean => members.some((member) => member.id === id && member.membership === "learner");
    const usable = this.#fleet.members.filter(({ id }) =>
      isMember(id) ? orLearner && isLearner(id) : !this.#seenAt.has(id) && !this.#removed.has(id),
    );
    const hasSpare = this.#fleet.members.length < this.#plan.nodes + this.#plan.spares + extra;
    if (hasSpare && (usable.length === 0 || this.#random.chance(1, 2))) {
      const known = members.flatMap(({ id, address }) => (address === null ? [] : [{ id, address }]));
      return this.#fleet.join(known);
    }
    return usable.length === 0 ? null : this.#random.pick(usable);
  }

  #ask(kind: ChangeKind | "repair", request: ChurnRequest, member: SimulatedMember): void {
    const { node } = member;
    if (node === null) return;
    const askedAt = this.#world.now();
    this.#count(kind);
    if (!leavesVoters.includes(kind)) this.touchesVoters = true;
    this.#pending++;
    let over = false;
    const finish = (): boolean => {
      if (over) return false;
      over = true;
      this.#pending--;
      patience.cancel();
      return true;
    };
    const patience = this.#scheduler.setTimer(patienceMs, () => {
      if (finish() && member.undisturbedSince(askedAt))
        this.#onViolation(new OracleViolation("settle", `a ${kind} on ${member.host} did not settle, though the node ran all the while`));
    });
    request.ask(node).then(
      (answer) => {
        this.#world.note(member.host, "operator:ok", kind);
        this.#count(`${kind} done`);
        if (!request.isKept(answer))
          this.#onViolation(
            new OracleViolation("operator", `${member.host} says that a ${kind} is done, and it is not (${String(answer)})`),
          );
        if (finish()) this.#learn(node.status());
      },
      (error: unknown) => {
        this.#world.note(member.host, "operator:fail", kind);
        if (!isCoreError(error))
          this.#onViolation(
            new OracleViolation("operator", `a ${kind} on ${member.host} failed with an error that callers do not know: ${String(error)}`),
          );
        finish();
      },
    );
  }

  /** Whoever a leader named, and does not name any more, was removed for good: its machine is switched off, or left to itself. */
  #learn({ role, members, appliedIndex }: NodeStatus): void {
    if (role !== "leader") return;
    for (const { id } of members) this.#seenAt.set(id, Math.max(appliedIndex, this.#seenAt.get(id) ?? 0));
    for (const [id, seenAt] of this.#seenAt) {
      if (seenAt >= appliedIndex || this.#removed.has(id)) continue;
      this.#removed.add(id);
      this.#retire(this.#fleet.find(id));
    }
  }

  #retire(member: SimulatedMember | undefined): void {
    const how = this.#random.pick(["kill", "leave", "not"] as const);
    if (member === undefined || how === "not") return;
    this.#scheduler.setTimer(this.#random.pick([0, this.#random.exponential(300)]), () => {
      this.#count("retired");
      if (member.outOfService === "held") return;
      member.outOfService ??= "retired";
      if (how === "kill") member.kill();
      else if (member.process.state === "running") member.leave();
    });
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

/** Requests after which the voters are who they were. */
const leavesVoters: readonly string[] = ["learner", ...harmlessChanges];

const isOfAnyone = (kind: ChangeKind): boolean => kind === "campaign" || kind === "snapshot";
