import type { NodeEvent } from "@octopii/core";
import { membersOf } from "@octopii/raft";
import { createSimulation, type World } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { checkLinearizability, storeModel } from "../linearizability/index.js";
import { AcknowledgedWrites } from "../oracles/acknowledged-writes.js";
import { show } from "../oracles/configuration-history.js";
import { RaftOracle } from "../oracles/raft-oracle.js";
import { OracleViolation } from "../oracles/violation.js";
import { Churn } from "./churn.js";
import { checkEqualStores, describeMember, finalMembers, hasConverged } from "./convergence.js";
import { Fleet } from "./fleet.js";
import { Nemesis } from "./nemesis.js";
import type { ClusterRunOptions, ClusterRunResult } from "./options.js";
import { type ClusterPlan, drawPlan } from "./plan.js";
import { Reached } from "./reached.js";
import { foundingMembers, type MemberObserver } from "./simulated-member.js";
import { Workload } from "./workload.js";

/** Virtual time after which the faults end, even if clients have got through less than planned. */
const faultLimitMs = 60_000;
/** Virtual time within which a healed cluster must have a leader and equal replicas: many elections long. */
const convergenceLimitMs = 60_000;
/** Virtual time within which every node must be closed. */
const closeLimitMs = 20_000;
/** More events than any run needs. */
const maxEvents = 5_000_000;
/** A goal that is costly to judge is judged after so many events. */
const eventsBetweenLooks = 32;

/**
 * Runs whole nodes, the shipped code, in one process and one thread, under the faults and the changes of membership that the seed draws; then
 * heals everything and checks that the cluster converges and that every promise was kept. Never throws for what the cluster did: that is in
 * the result.
 */
export async function runCluster(options: ClusterRunOptions): Promise<ClusterRunResult> {
  await prepareWalrus();
  return new ClusterRun(options).run();
}

class ClusterRun {
  readonly #options: ClusterRunOptions;
  readonly #plan: ClusterPlan;
  readonly #world: World;
  readonly #oracle: RaftOracle;
  readonly #writes: AcknowledgedWrites = new AcknowledgedWrites();
  readonly #reached: Reached = new Reached();
  readonly #fleet: Fleet;
  readonly #nemesis: Nemesis;
  readonly #churn: Churn;
  readonly #workload: Workload;
  #violation: OracleViolation | null = null;

  constructor(options: ClusterRunOptions) {
    this.#options = options;
    this.#plan = drawPlan(options);
    const { lossPerMillion, meanDelayMs, streamWindowBytes } = this.#plan;
    this.#world = createSimulation({
      seed: options.seed,
      network: { lossPerMillion, meanDelayMs },
      transport: { idleTimeoutMs: 1_000, connectTimeoutMs: 400, streamWindowBytes },
      ...(options.onTrace === undefined ? {} : { traceSink: options.onTrace }),
    });
    const voters = foundingMembers(this.#plan.nodes).map(({ id }) => id);
    this.#oracle = new RaftOracle({ voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false });
    const record = (violation: OracleViolation): void => this.#record(violation);
    this.#fleet = new Fleet(this.#world, this.#plan, this.#observer());
    this.#nemesis = new Nemesis(this.#world, this.#fleet, this.#plan, this.#world.random.fork("nemesis"));
    this.#churn = new Churn(this.#world, this.#fleet, this.#plan, this.#oracle, record);
    this.#workload = new Workload(this.#world, this.#fleet.members, this.#plan, (what) =>
      record(new OracleViolation("settle", `a ${what} did not settle, though the node ran all the while`)),
    );
  }

  async run(): Promise<ClusterRunResult> {
    try {
      await this.#underFaults();
      await this.#afterHealing();
      this.#checkHistory();
    } catch (error) {
      this.#record(error instanceof OracleViolation ? error : new OracleViolation("world", String(error)));
    }
    const { seed } = this.#options;
    const violation = this.#violation;
    return {
      seed,
      nodes: this.#plan.nodes,
      operations: this.#workload.started,
      acknowledged: this.#workload.acknowledged,
      faults: this.#nemesis.counts,
      changes: this.#churn.counts,
      reached: { ...this.#reached.counts, machines: this.#fleet.members.length, configurations: this.#oracle.configurationChanges },
      failure: violation === null ? null : { oracle: violation.oracle, message: violation.message },
      events: this.#world.events,
      virtualMs: Math.round(this.#world.now()),
      hash: this.#world.traceHash(),
    };
  }

  async #underFaults(): Promise<void> {
    for (const member of this.#fleet.members) member.start();
    this.#nemesis.start();
    this.#churn.start();
    this.#workload.start(this.#plan.clients, this.#plan.operations);
    await this.#until("workload", () => this.#workload.isDone || this.#world.now() > faultLimitMs, 2 * faultLimitMs);
    this.#workload.stop();
    this.#churn.stop();
    await this.#until("workload", () => this.#workload.isDone && this.#churn.isDone, faultLimitMs);
  }

  async #afterHealing(): Promise<void> {
    this.#nemesis.stop();
    await this.#convergence();
    this.#workload.startFinalReads(finalMembers(this.#fleet, this.#oracle));
    await this.#until("final reads", () => this.#workload.isDone, convergenceLimitMs);
    await this.#convergence();
    checkEqualStores(finalMembers(this.#fleet, this.#oracle));
    this.#writes.check(this.#workload.acknowledgedValues, membersOf(this.#oracle.configuration.configuration));
    await this.#close();
  }

  #convergence(): Promise<void> {
    let nextLook = 0;
    const isReached = (): boolean => {
      if (this.#world.events < nextLook) return false;
      nextLook = this.#world.events + eventsBetweenLooks;
      return hasConverged(this.#fleet, this.#oracle);
    };
    return this.#until("convergence", isReached, convergenceLimitMs);
  }

  /** Whoever runs can be closed, whatever it is busy with. */
  async #close(): Promise<void> {
    let open = 0;
    for (const { id, node } of this.#fleet.members) {
      if (node === null) continue;
      open++;
      node.close().then(
        () => open--,
        (error: unknown) => this.#record(new OracleViolation("close", `node ${id} could not close: ${String(error)}`)),
      );
    }
    await this.#until("the end of every node", () => open === 0, closeLimitMs);
  }

  /** Waits for `goal`, but not longer than for the first violation. */
  async #until(what: string, goal: () => boolean, withinMs: number): Promise<void> {
    try {
      await this.#world.runUntil(() => this.#violation !== null || goal(), { withinMs, maxEvents });
    } catch (error) {
      const members = this.#fleet.members.map(describeMember).join("; ");
      const { index, configuration } = this.#oracle.configuration;
      const group = `committed ${this.#oracle.committedIndex}, ${show(configuration)} since ${index}`;
      throw new OracleViolation("liveness", `${what} did not come about: ${String(error)} (${group}; ${members})`);
    }
    if (this.#violation !== null) throw this.#violation;
  }

  #checkHistory(): void {
    const result = checkLinearizability(storeModel(), this.#workload.recorder.operations());
    if (result.verdict === "violation") throw new OracleViolation("linearizability", result.explanation);
    // A history too tangled to judge is no success: it would hide what it cannot see.
    if (result.verdict === "unknown") throw new OracleViolation("linearizability", `undecided for ${result.unknownPartitions.join(", ")}`);
  }

  #observer(): MemberObserver {
    return {
      event: (id, event) => this.#judge(() => this.#observe(id, event)),
      started: (id, { appliedIndex }) =>
        this.#judge(() => {
          this.#oracle.started(id, appliedIndex);
          if (appliedIndex > 0) this.#writes.restored(id, appliedIndex);
        }),
      startFailed: (id, error) => this.#record(new OracleViolation("start", `node ${id} could not start: ${String(error)}`)),
      closeFailed: (id, error) => this.#record(new OracleViolation("close", `node ${id} could not close: ${String(error)}`)),
    };
  }

  #observe(id: number, event: NodeEvent): void {
    this.#oracle.observe(id, event);
    this.#reached.observe(event);
    if (event.type === "restore") this.#writes.began(id);
    if (event.type === "applied") for (const entry of event.entries) this.#writes.applied(id, entry);
    if (event.type === "restored") this.#writes.restored(id, event.snapshot.index);
    if (event.type === "stopped") throw new OracleViolation("stop", `node ${id} stopped by itself: ${String(event.error)}`);
    if (event.type === "role") this.#world.note(`n${id}`, `raft:${event.role}`, event.term);
    if (event.type === "commit" || event.type === "configuration" || event.type === "compact")
      this.#world.note(`n${id}`, `raft:${event.type}`, event.index);
    if (event.type === "snapshot") this.#world.note(`n${id}`, `raft:snapshot-${event.phase}`, event.snapshot.index);
  }

  #judge(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#record(error instanceof OracleViolation ? error : new OracleViolation("oracle", String(error)));
    }
  }

  #record(violation: OracleViolation): void {
    this.#violation ??= violation;
  }
}
