import type { StateMachine } from "@octopii/core";
import { membersOf } from "@octopii/raft";
import type { World } from "@octopii/testing";
import type { Churn } from "../cluster/churn.js";
import type { Clients } from "../cluster/clients.js";
import type { Fleet } from "../cluster/fleet.js";
import type { SimulatedMember } from "../cluster/simulated-member.js";
import type { Nemesis } from "../nemesis/nemesis.js";
import { isExcused } from "../nemesis/trouble.js";
import type { RaftOracle } from "../oracles/raft-oracle.js";
import { OracleViolation } from "../oracles/violation.js";
import type { WriteLedger } from "../oracles/write-ledger.js";
import type { ClusterPlan } from "../plan/plan.js";
import { bringBack, finalMembers, hasConverged } from "./convergence.js";
import { drawCore } from "./core.js";
import type { Marks } from "./marks.js";
import { probeRot } from "./rot-probe.js";
import { readStoredLog, type StoredLog } from "./stored-logs.js";

/** Virtual time within which a healed cluster must have a leader and equal replicas: many elections long. */
const convergenceLimitMs = 60_000;
/** Virtual time within which every node must be closed. */
const closeLimitMs = 20_000;
/** A goal that is costly to judge is judged after so many events. */
const eventsBetweenLooks = 32;
/** Timers, transfers and messages that a node may wait for when nothing is asked of it: a few per peer. More is a leak. */
const pendingMax = 200;
/** Files that a node may have open besides its segments: snapshots being read and written, the lock, what is being made. More is a leak. */
const openFilesMax = 32;

/** What a run consists of, when its faults have ended. */
export interface AftermathParts {
  readonly world: World;
  readonly plan: ClusterPlan;
  readonly fleet: Fleet;
  readonly oracle: RaftOracle;
  readonly nemesis: Nemesis;
  readonly churn: Churn;
  readonly clients: Pick<Clients<unknown, unknown>, "startFinalReads" | "isDone" | "close">;
  readonly ledger: WriteLedger;
  readonly marks: Marks;
  readonly digest: ((machine: StateMachine) => string) | null;
  /** Waits for a goal. @throws {OracleViolation} `liveness`, or the first violation. */
  until(what: string, goal: () => boolean, withinMs: number): Promise<void>;
}

/**
 * What must hold when the faults are over: first a core gets along without the rest, then everybody is healed but those whose logs are lost,
 * all agree on everything that was promised, and every node can be closed and leaves the log that it said it had.
 */
export class Aftermath {
  readonly #parts: AftermathParts;
  /** Whose node has written all that it said it would: it was closed in good order. */
  readonly #closed = new Set<SimulatedMember>();

  constructor(parts: AftermathParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { nemesis, fleet } = this.#parts;
    nemesis.stop();
    for (const member of fleet.members) this.#heal(member);
    await this.#coreAlone();
    for (const member of fleet.members) if (member.outOfService === null) bringBack(member);
    await this.#everybody();
    await this.#close();
    await this.#checkStoredLogs();
  }

  #heal(member: SimulatedMember): void {
    if (member.process.state === "paused") member.process.resume();
    if (member.hasFailed && member.outOfService === null) member.kill();
    if (member.process.state === "dead") member.start();
  }

  async #coreAlone(): Promise<void> {
    const { world, fleet, plan, oracle, churn, marks } = this.#parts;
    // With a change of voters under way, nobody outside knows which quorum counts.
    if (!plan.coreFirst || churn.touchesVoters) return;
    const core = drawCore(world, fleet, plan, oracle, world.random.fork("core"));
    if (core === null) return;
    const members = (): readonly SimulatedMember[] => {
      for (const member of core.members) bringBack(member);
      return core.members;
    };
    await this.#converge("convergence of a core", members, core.members);
    marks.sometimes("a minimal core converged");
    core.release();
  }

  async #everybody(): Promise<void> {
    const { fleet, oracle, clients, ledger, until } = this.#parts;
    const members = (): readonly SimulatedMember[] => finalMembers(fleet, oracle);
    // Who has lost a part of its log unawares may lead as well as anybody.
    await this.#converge("convergence", members, fleet.members);
    clients.startFinalReads(members());
    await until("final reads", () => clients.isDone, convergenceLimitMs);
    await this.#converge("convergence", members, fleet.members);
    this.#checkEqualStates(members());
    this.#checkQueues();
    const { damaged } = this.#parts.nemesis.atlas;
    ledger.check(membersOf(oracle.configuration.configuration).filter((id) => !damaged.has(id)));
  }

  #converge(what: string, members: () => readonly SimulatedMember[], leaders: readonly SimulatedMember[]): Promise<void> {
    const { world, oracle, until } = this.#parts;
    let nextLook = 0;
    const isReached = (): boolean => {
      if (world.events < nextLook) return false;
      nextLook = world.events + eventsBetweenLooks;
      const those = members();
      for (const member of those) checkHandles(member, openFilesMax + member.process.disk.fileCount);
      return hasConverged(those, leaders, oracle);
    };
    return until(what, isReached, convergenceLimitMs);
  }

  #checkEqualStates(members: readonly SimulatedMember[]): void {
    const { digest } = this.#parts;
    if (digest === null) return;
    const [first, ...others] = members.map(({ id, stateMachine }) => ({ id, content: digest(stateMachine) }));
    for (const other of others) {
      if (other.content !== first?.content)
        throw new OracleViolation(
          "equal state",
          `nodes ${String(first?.id)} and ${other.id} applied the same entries and hold different states`,
        );
    }
  }

  /** Whatever was queued while things went wrong has been dealt with. */
  #checkQueues(): void {
    for (const [name, count] of this.#parts.world.pendingByProcess()) {
      if (count > pendingMax) throw new OracleViolation("queues", `${name} is at rest, and ${count} things are due there`);
    }
  }

  /** Whoever runs can be closed, whatever it is busy with, and leaves no file open. */
  async #close(): Promise<void> {
    const { fleet, clients, until } = this.#parts;
    let open = 1;
    let violation: OracleViolation | null = null;
    for (const member of fleet.members) {
      const { id, node } = member;
      if (node === null) continue;
      open++;
      node.close().then(
        () => {
          open--;
          if (!member.hasFailed) this.#closed.add(member);
        },
        (error: unknown) => {
          if (isExcused(member, error)) open--;
          else violation = new OracleViolation("close", `node ${id} could not close: ${String(error)}`);
        },
      );
    }
    void clients.close().then(() => open--);
    await until("the end of every node", () => open === 0 || violation !== null, closeLimitMs);
    if (violation !== null) throw violation;
    for (const member of fleet.members) {
      checkHandles(member, 0);
      // Whoever would start it again a while after its last death comes too late.
      member.outOfService ??= "held";
      member.kill();
    }
  }

  /** What is on the disks is what the nodes said that they had written, neither less nor more nor otherwise. */
  async #checkStoredLogs(): Promise<void> {
    const { world, fleet, oracle, nemesis, marks } = this.#parts;
    const sound: { member: SimulatedMember; stored: StoredLog }[] = [];
    for (const member of fleet.members) {
      if (!oracle.knows(member.id)) continue;
      const stored = await this.#read(world, member);
      const isDamaged = nemesis.atlas.has(member);
      if (isDamaged) marks.sometimes("a damaged log was read");
      if (stored === null && !isDamaged) throw new OracleViolation("stored log", `the log of node ${member.id} says that it is damaged`);
      if (stored === null) continue;
      // Who was killed may have died before it wrote what it had just appended.
      const isComplete = this.#closed.has(member) && !isDamaged;
      oracle.checkStored(member.id, stored, isComplete);
      if (isComplete) sound.push({ member, stored });
    }
    if (sound.length === 0) return;
    const random = world.random.fork("rot");
    const { member, stored } = random.pick(sound);
    await world.runUntilSettled(probeRot(world, member, stored, random), { withinMs: closeLimitMs });
  }

  async #read(world: World, member: SimulatedMember): ReturnType<typeof readStoredLog> {
    try {
      return await world.runUntilSettled(readStoredLog(world, member), { withinMs: closeLimitMs });
    } catch (error) {
      throw new OracleViolation("stored log", `the log of node ${member.id} cannot be read: ${String(error)}`);
    }
  }
}

function checkHandles({ id, process }: SimulatedMember, most: number): void {
  const { openFiles } = process.disk;
  if (openFiles > most) throw new OracleViolation("handles", `node ${id} has ${openFiles} files open, where ${most} would do`);
}
