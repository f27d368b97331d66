import { createSimulation, type World } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { checkLinearizability, storeModel } from "../linearizability/index.js";
import { AcknowledgedWrites } from "../oracles/acknowledged-writes.js";
import { RaftOracle } from "../oracles/raft-oracle.js";
import { OracleViolation } from "../oracles/violation.js";
import { Nemesis } from "./nemesis.js";
import type { ClusterRunOptions, ClusterRunResult } from "./options.js";
import { type ClusterPlan, drawPlan } from "./plan.js";
import { foundingMembers, SimulatedMember } from "./simulated-member.js";
import { Workload } from "./workload.js";

/** Virtual time after which the faults end, even if clients have got through less than planned. */
const faultLimitMs = 60_000;
/** Virtual time within which a healed cluster must have a leader and equal replicas: many elections long. */
const convergenceLimitMs = 60_000;
/** More events than any run needs. */
const maxEvents = 5_000_000;

/**
 * Runs whole nodes, the shipped code, in one process and one thread, under the faults that the seed draws; then heals everything and
 * checks that the cluster converges and that every promise was kept. Never throws for what the cluster did: that is in the result.
 */
export async function runCluster(options: ClusterRunOptions): Promise<ClusterRunResult> {
  await prepareWalrus();
  return new ClusterRun(options).run();
}

class ClusterRun {
  readonly #options: ClusterRunOptions;
  readonly #plan: ClusterPlan;
  readonly #world: World;
  readonly #oracle: RaftOracle = new RaftOracle();
  readonly #writes: AcknowledgedWrites = new AcknowledgedWrites();
  readonly #members: readonly SimulatedMember[];
  readonly #nemesis: Nemesis;
  readonly #workload: Workload;
  #violation: OracleViolation | null = null;

  constructor(options: ClusterRunOptions) {
    this.#options = options;
    this.#plan = drawPlan(options);
    const { lossPerMillion, meanDelayMs } = this.#plan;
    this.#world = createSimulation({
      seed: options.seed,
      network: { lossPerMillion, meanDelayMs },
      transport: { idleTimeoutMs: 1_000, connectTimeoutMs: 400 },
      ...(options.onTrace === undefined ? {} : { traceSink: options.onTrace }),
    });
    const members = foundingMembers(this.#plan.nodes);
    const observer = {
      event: (id: number, event: Parameters<RaftOracle["observe"]>[1]): void => this.#observe(id, event),
      startFailed: (id: number, error: unknown): void =>
        this.#record(new OracleViolation("start", `node ${id} could not start: ${String(error)}`)),
      closeFailed: (id: number, error: unknown): void =>
        this.#record(new OracleViolation("close", `node ${id} could not close: ${String(error)}`)),
    };
    this.#members = members.map(({ id }) => new SimulatedMember(id, this.#world, members, this.#plan, observer));
    this.#nemesis = new Nemesis(this.#world, this.#members, this.#plan, this.#world.random.fork("nemesis"));
    this.#workload = new Workload(this.#world, this.#members, this.#world.random.fork("workload"), this.#plan.keys, (what) =>
      this.#record(new OracleViolation("settle", `a ${what} did not settle, though the node ran all the while`)),
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
      failure: violation === null ? null : { oracle: violation.oracle, message: violation.message },
      events: this.#world.events,
      virtualMs: Math.round(this.#world.now()),
      hash: this.#world.traceHash(),
    };
  }

  async #underFaults(): Promise<void> {
    for (const member of this.#members) member.start();
    this.#nemesis.start();
    this.#workload.start(this.#plan.clients, this.#plan.operations);
    await this.#until("workload", () => this.#workload.isDone || this.#world.now() > faultLimitMs, 2 * faultLimitMs);
    this.#workload.stop();
    await this.#until("workload", () => this.#workload.isDone, faultLimitMs);
  }

  async #afterHealing(): Promise<void> {
    this.#nemesis.stop();
    await this.#until("convergence", () => this.#hasConverged(), convergenceLimitMs);
    this.#workload.startFinalReads();
    await this.#until("final reads", () => this.#workload.isDone, convergenceLimitMs);
    await this.#until("convergence", () => this.#hasConverged(), convergenceLimitMs);
    this.#checkEqualStores();
    this.#writes.check(this.#workload.acknowledgedValues);
  }

  /** Waits for `goal`, but not longer than for the first violation. */
  async #until(what: string, goal: () => boolean, withinMs: number): Promise<void> {
    try {
      await this.#world.runUntil(() => this.#violation !== null || goal(), { withinMs, maxEvents });
    } catch (error) {
      const roles = this.#members.map(({ host, node }) => `${host} ${node?.status().role ?? "dead"}`).join(", ");
      throw new OracleViolation("liveness", `${what} did not come about: ${String(error)} (${roles})`);
    }
    if (this.#violation !== null) throw this.#violation;
  }

  #hasConverged(): boolean {
    const committed = this.#oracle.committedIndex;
    let leaders = 0;
    for (const { node } of this.#members) {
      const status = node?.status();
      if (status === undefined || status.appliedIndex < committed || status.lastIndex > committed) return false;
      if (status.role === "leader") leaders++;
    }
    return leaders > 0;
  }

  #checkEqualStores(): void {
    const [first, ...others] = this.#members.map(({ id, store }) => ({ id, content: store.entries() }));
    for (const other of others) {
      if (JSON.stringify(other.content) !== JSON.stringify(first?.content)) {
        throw new OracleViolation(
          "equal state",
          `nodes ${String(first?.id)} and ${other.id} applied the same entries and hold different states`,
        );
      }
    }
  }

  #checkHistory(): void {
    const result = checkLinearizability(storeModel(), this.#workload.recorder.operations());
    if (result.verdict === "violation") throw new OracleViolation("linearizability", result.explanation);
    // A history too tangled to judge is no success: it would hide what it cannot see.
    if (result.verdict === "unknown") throw new OracleViolation("linearizability", `undecided for ${result.unknownPartitions.join(", ")}`);
  }

  #observe(id: number, event: Parameters<RaftOracle["observe"]>[1]): void {
    try {
      this.#oracle.observe(id, event);
      if (event.type === "restore") this.#writes.restored(id);
      if (event.type === "applied") this.#writes.applied(id, event.entry);
      if (event.type === "stopped") throw new OracleViolation("stop", `node ${id} stopped by itself: ${String(event.error)}`);
      if (event.type === "role") this.#world.note(`n${id}`, `raft:${event.role}`, event.term);
      if (event.type === "commit") this.#world.note(`n${id}`, "raft:commit", event.index);
    } catch (error) {
      this.#record(error instanceof OracleViolation ? error : new OracleViolation("oracle", String(error)));
    }
  }

  #record(violation: OracleViolation): void {
    this.#violation ??= violation;
  }
}
