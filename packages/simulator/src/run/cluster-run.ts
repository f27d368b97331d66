import { createSimulation, type World } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { Churn } from "../cluster/churn.js";
import { Clients } from "../cluster/clients.js";
import { Fleet } from "../cluster/fleet.js";
import { foundingMembers, logDirectory } from "../cluster/simulated-member.js";
import { checkLinearizability } from "../linearizability/index.js";
import { Nemesis } from "../nemesis/nemesis.js";
import { show } from "../oracles/configuration-history.js";
import { RaftOracle } from "../oracles/raft-oracle.js";
import { OracleViolation } from "../oracles/violation.js";
import { WriteLedger } from "../oracles/write-ledger.js";
import { drawPlan } from "../plan/draw.js";
import type { ClusterPlan } from "../plan/plan.js";
import { profileOf } from "../plan/profiles.js";
import { keyValueService } from "../service/key-value-service.js";
import type { SimulatedService } from "../service/service.js";
import { Aftermath } from "./aftermath.js";
import { describeMember } from "./convergence.js";
import { Marks } from "./marks.js";
import type { ClusterRunOptions, ClusterRunResult } from "./options.js";
import { watchMembers } from "./watch.js";

/** Virtual time after which the faults end, even if clients have got through less than planned. */
const faultLimitMs = 25_000;
/** More events than any run needs. */
const maxEvents = 5_000_000;
const defaultProfile = "swarm";

/** All that a seed decides about a run before it begins. @throws {RangeError} for a profile that there is none of. */
export function planOf({ seed, profile = defaultProfile, plan }: ClusterRunOptions): ClusterPlan {
  return drawPlan(seed, profileOf(profile), plan);
}

/**
 * Runs whole nodes, the shipped code, in one process and one thread, under the faults and the changes of membership that the seed draws; then
 * heals a core, then everything, and checks that the cluster converges and that every promise was kept. Never throws for what the cluster did:
 * that is in the result. @throws {RangeError} for a profile that there is none of.
 */
export async function runCluster(options: ClusterRunOptions): Promise<ClusterRunResult> {
  const plan = planOf(options);
  return runService(options, plan, keyValueService(plan));
}

/** As {@link runCluster}, with any state machine and workload. */
export async function runService<Input, Output>(
  options: ClusterRunOptions,
  plan: ClusterPlan,
  service: SimulatedService<Input, Output>,
): Promise<ClusterRunResult> {
  await prepareWalrus();
  return new ClusterRun(options, plan, service).run();
}

class ClusterRun<Input, Output> {
  readonly #options: ClusterRunOptions;
  readonly #plan: ClusterPlan;
  readonly #service: SimulatedService<Input, Output>;
  readonly #world: World;
  readonly #oracle: RaftOracle;
  readonly #ledger: WriteLedger;
  readonly #marks: Marks = new Marks();
  readonly #fleet: Fleet;
  readonly #nemesis: Nemesis;
  readonly #churn: Churn;
  readonly #clients: Clients<Input, Output>;
  #violation: OracleViolation | null = null;

  constructor(options: ClusterRunOptions, plan: ClusterPlan, service: SimulatedService<Input, Output>) {
    this.#options = options;
    this.#plan = plan;
    this.#service = service;
    const world = makeWorld(options, plan);
    const { workload } = service;
    const voters = foundingMembers(plan.nodes).map(({ id }) => id);
    const founding = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const oracle = new RaftOracle(founding, { holds: (id, bytes) => this.#isOnDisk(id, bytes) });
    const ledger = new WriteLedger((command) => workload.markOfCommand?.(command) ?? null);
    const record = (violation: OracleViolation): void => this.#record(violation);
    const violate = (what: string, message: string): void => record(new OracleViolation(what, message));
    const observer = watchMembers({
      world,
      oracle,
      ledger,
      marks: this.#marks,
      record,
      fleet: () => this.#fleet,
      nemesis: () => this.#nemesis,
      onTrace: options.onTrace ?? null,
    });
    this.#world = world;
    this.#oracle = oracle;
    this.#ledger = ledger;
    this.#fleet = new Fleet({ world, plan, stateMachine: () => service.stateMachine(), observer });
    this.#nemesis = new Nemesis(world, this.#fleet, plan, violate);
    this.#churn = new Churn({ world, fleet: this.#fleet, plan, oracle, atlas: this.#nemesis.atlas, onViolation: record });
    const onHang = (what: string): void => violate("settle", `${what} did not settle, though the node ran all the while`);
    this.#clients = new Clients({ world, fleet: this.#fleet, plan, workload, ledger, onHang });
  }

  async run(): Promise<ClusterRunResult> {
    try {
      await this.#underFaults();
      await this.#aftermath().run();
      this.#checkHistory();
    } catch (error) {
      this.#record(error instanceof OracleViolation ? error : new OracleViolation("world", String(error)));
    }
    this.#options.onHistory?.(this.#clients.recorder.events);
    return this.#result();
  }

  async #underFaults(): Promise<void> {
    this.#markPlan();
    for (const member of this.#fleet.members) member.start();
    this.#nemesis.start();
    this.#churn.start();
    this.#clients.start();
    await this.#until("workload", () => this.#clients.isDone || this.#world.now() > faultLimitMs, 2 * faultLimitMs);
    this.#clients.stop();
    this.#churn.stop();
    await this.#until("workload", () => this.#clients.isDone && this.#churn.isDone, faultLimitMs);
  }

  /** A disk that somebody is busy with, or that has lost its log for good, is no witness. */
  #isOnDisk(id: number, bytes: Uint8Array): boolean {
    const member = this.#fleet.find(id);
    if (member === undefined || member.outOfService !== null || this.#nemesis.atlas.has(member)) return true;
    return member.process.disk.durablyHolds(logDirectory, bytes);
  }

  #aftermath(): Aftermath {
    return new Aftermath({
      world: this.#world,
      plan: this.#plan,
      fleet: this.#fleet,
      oracle: this.#oracle,
      nemesis: this.#nemesis,
      churn: this.#churn,
      clients: this.#clients,
      ledger: this.#ledger,
      marks: this.#marks,
      digest: this.#service.digest ?? null,
      until: (what, goal, withinMs) => this.#until(what, goal, withinMs),
    });
  }

  /** Waits for `goal`, but not longer than for the first violation. */
  async #until(what: string, goal: () => boolean, withinMs: number): Promise<void> {
    try {
      await this.#world.runUntil(() => this.#violation !== null || goal(), { withinMs, maxEvents });
    } catch (error) {
      if (error instanceof OracleViolation) throw error;
      const members = this.#fleet.members.map(describeMember).join("; ");
      const { index, configuration } = this.#oracle.configuration;
      const group = `committed ${this.#oracle.committedIndex}, ${show(configuration)} since ${index}`;
      throw new OracleViolation("liveness", `${what} did not come about: ${String(error)} (${group}; ${members})`);
    }
    if (this.#violation !== null) throw this.#violation;
  }

  #checkHistory(): void {
    const { model } = this.#service.workload;
    if (model === undefined) return;
    const result = checkLinearizability(model, this.#clients.recorder.operations());
    if (result.verdict === "violation") throw new OracleViolation("linearizability", result.explanation);
    // A history too tangled to judge is no success: it would hide what it cannot see.
    if (result.verdict === "unknown")
      throw new OracleViolation("undecided", `too tangled to judge: ${result.unknownPartitions.join(", ")}`);
  }

  #markPlan(): void {
    const { nodes, remoteClients, mixed } = this.#plan;
    if (nodes === 1) this.#marks.sometimes("a lone node");
    if (nodes === 7) this.#marks.sometimes("seven nodes");
    if (remoteClients > 0) this.#marks.sometimes("remote clients");
    if (mixed) this.#marks.sometimes("mixed options");
  }

  #record(violation: OracleViolation): void {
    if (this.#violation !== null) return;
    this.#violation = violation;
    this.#world.note("world", "violation", violation.message);
  }

  #result(): ClusterRunResult {
    const violation = this.#violation;
    const { seed, profile = defaultProfile } = this.#options;
    const machines = { machines: this.#fleet.members.length, configurations: this.#oracle.configurationChanges };
    return {
      seed,
      profile,
      nodes: this.#plan.nodes,
      operations: this.#clients.started,
      acknowledged: this.#clients.acknowledged,
      faults: this.#nemesis.counts,
      changes: this.#churn.counts,
      reached: { ...this.#marks.counts, ...machines },
      last: { faults: this.#nemesis.struck, changes: this.#churn.acts, operations: this.#clients.started },
      failure: violation === null ? null : { oracle: violation.oracle, message: violation.message },
      events: this.#world.events,
      virtualMs: Math.round(this.#world.now()),
      hash: this.#world.traceHash(),
    };
  }
}

function makeWorld({ seed, onTrace }: ClusterRunOptions, plan: ClusterPlan): World {
  const { lossPerMillion, duplicatePerMillion, meanDelayMs, streamWindowBytes } = plan;
  return createSimulation({
    seed,
    network: { lossPerMillion, duplicatePerMillion, meanDelayMs },
    transport: { idleTimeoutMs: 1_000, connectTimeoutMs: 400, streamWindowBytes },
    ...(onTrace === undefined ? {} : { traceSink: onTrace }),
  });
}
