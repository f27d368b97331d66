import { type Client, type Consistency, createClient, isCoreError, isRejection, type Replicated } from "@octopii/core";
import type { Scheduler } from "@octopii/interfaces";
import type { SeededRandom, World } from "@octopii/testing";
import { createHistoryRecorder, type HistoryRecorder } from "../linearizability/index.js";
import type { WriteLedger } from "../oracles/write-ledger.js";
import { type ClusterPlan, isKept } from "../plan/plan.js";
import type { Workload } from "../service/service.js";
import type { Fleet } from "./fleet.js";
import type { SimulatedMember } from "./simulated-member.js";

/** A client gives up waiting after this; what it asked for may happen all the same. Longer than any call may take on a live node. */
const patienceMs = 5_000;
/** By when a remote client answers. Shorter than the patience. */
const remoteTimeoutMs = 3_000;

/** What clients work with. */
export interface ClientParts<Input, Output> {
  readonly world: World;
  readonly fleet: Fleet;
  readonly plan: ClusterPlan;
  readonly workload: Workload<Input, Output>;
  readonly ledger: WriteLedger;
  /** A call did not come to an end, though the node that was asked ran all the while. */
  readonly onHang: (what: string) => void;
}

/** Whom one operation is asked of. `member` is null for a client on a machine of its own. */
interface Target {
  readonly cluster: Replicated;
  readonly member: SimulatedMember | null;
}

/** One client: its numbers, and its connection to the cluster if it stands outside. */
interface ClientState {
  readonly random: SeededRandom;
  readonly remote: Client | null;
}

/** Clients that use a cluster, through whichever member they find alive or over the network, and write down what they see. */
export class Clients<Input, Output> {
  readonly recorder: HistoryRecorder<Input, Output>;
  started = 0;
  acknowledged = 0;
  readonly #parts: ClientParts<Input, Output>;
  readonly #scheduler: Scheduler;
  readonly #remotes: Client[] = [];
  #active = 0;
  #limit = 0;

  constructor(parts: ClientParts<Input, Output>) {
    this.#parts = parts;
    this.#scheduler = parts.world.scheduler();
    this.recorder = createHistoryRecorder<Input, Output>({ clock: parts.world.clock() });
  }

  /** Starts the plan's clients, who together do the plan's operations. */
  start(): void {
    const { clients, remoteClients, operations } = this.#parts.plan;
    this.#limit = this.started + operations;
    for (let number = 1; number <= clients; number++) {
      this.#active++;
      this.#later(this.recorder.newProcess(), this.#client(number, number <= remoteClients));
    }
  }

  /** No operation begins any more; those under way come to their end. */
  stop(): void {
    this.#limit = this.started;
  }

  get isDone(): boolean {
    return this.#active === 0;
  }

  /** Asks the last questions, each of one of `members`: what was acknowledged must be there. */
  startFinalReads(members: readonly SimulatedMember[]): void {
    const random = this.#parts.world.random.fork("final reads");
    for (const input of this.#parts.workload.finalReads?.() ?? []) {
      this.#active++;
      this.#limit++;
      this.started++;
      const target = this.#inProcess(members, random);
      this.#operate(this.recorder.newProcess(), input, target, random, () => this.#active--);
    }
  }

  /** Closes the remote clients. */
  async close(): Promise<void> {
    await Promise.all(this.#remotes.map((remote) => remote.close()));
  }

  #client(number: number, isRemote: boolean): ClientState {
    const { world, fleet } = this.#parts;
    const random = world.random.fork(`client ${number}`);
    if (!isRemote) return { random, remote: null };
    const process = world.process(`c${number}`, { identity: { name: `c${number}`, cluster: "simulated", nodeId: null } });
    const addresses = random.shuffle(fleet.members.map(({ address }) => address));
    const { transport, clock, scheduler } = process;
    const timing = { requestTimeoutMs: remoteTimeoutMs, connectTimeoutMs: 500 };
    const remote = createClient({ addresses, ...timing }, { transport, clock, scheduler, random: process.random });
    this.#remotes.push(remote);
    return { random, remote };
  }

  #later(process: number, client: ClientState): void {
    this.#scheduler.setTimer(client.random.exponential(20), () => {
      if (this.started >= this.#limit) {
        this.#active--;
        return;
      }
      const number = ++this.started;
      const random = client.random.fork(`operation ${number}`);
      const input = this.#parts.workload.next({ random, number });
      if (!isKept(this.#parts.plan.keep.operations, number)) return this.#later(process, client);
      const target = client.remote === null ? this.#inProcess(this.#serving(random), random) : { cluster: client.remote, member: null };
      this.#operate(process, input, target, random, (next) => this.#later(next, client));
    });
  }

  /** One operation, from its call to its answer or the end of the client's patience, whichever comes first. */
  #operate(process: number, input: Input, target: Target | null, random: SeededRandom, then: (process: number) => void): void {
    const { workload, world, onHang } = this.#parts;
    this.recorder.invoke(process, input);
    if (target === null) return then(this.#failed(process, input, "no member is alive"));
    const askedAt = world.now();
    let over = false;
    const finish = (record: () => number): void => {
      if (over) return;
      over = true;
      timer.cancel();
      then(record());
    };
    const timer = this.#scheduler.setTimer(patienceMs, () => {
      // A call on a node that ran all the while has a deadline, and settles by it, whatever happens elsewhere.
      if (target.member?.undisturbedSince(askedAt) ?? true)
        onHang(`${JSON.stringify(input)} on ${target.member?.host ?? "a remote client"}`);
      finish(() => this.#unknown(process, "no answer"));
    });
    workload.call(target.cluster, input, this.#consistency(random)).then(
      (output) => finish(() => this.#succeeded(process, input, output)),
      (error: unknown) =>
        finish(() => (isCertain(error) ? this.#failed(process, input, String(error)) : this.#unknown(process, String(error)))),
    );
  }

  #consistency(random: SeededRandom): Consistency {
    const mayUseLeases = this.#parts.plan.tuning.leaseReads ?? false;
    return mayUseLeases && random.chance(2, 3) ? "lease" : "linearizable";
  }

  #inProcess(members: readonly SimulatedMember[], random: SeededRandom): Target | null {
    const member = members.length === 0 ? null : random.pick(members);
    return member === null || member.node === null ? null : { cluster: member.node, member };
  }

  /** Mostly those who are members as far as they know themselves; now and then whoever lives. */
  #serving(random: SeededRandom): readonly SimulatedMember[] {
    const alive = this.#parts.fleet.members.filter(({ node }) => node !== null);
    const serving = alive.filter(({ id, node }) => node?.status().members.some((member) => member.id === id) === true);
    return serving.length === 0 || random.chance(1, 20) ? alive : serving;
  }

  #succeeded(process: number, input: Input, output: Output): number {
    this.acknowledged++;
    this.#parts.ledger.acknowledged(this.#markOf(input));
    this.recorder.ok(process, output);
    this.#parts.world.note(`client${process}`, "client:ok", this.started);
    return process;
  }

  #failed(process: number, input: Input, why: string): number {
    this.#parts.ledger.failed(this.#markOf(input));
    this.recorder.fail(process, why);
    this.#parts.world.note(`client${process}`, "client:fail", why);
    return process;
  }

  #unknown(process: number, why: string): number {
    this.recorder.info(process, why);
    this.#parts.world.note(`client${process}`, "client:unknown", why);
    return this.recorder.newProcess();
  }

  #markOf(input: Input): string | null {
    return this.#parts.workload.markOfInput?.(input) ?? null;
  }
}

const isCertain = (error: unknown): boolean => isRejection(error) || (isCoreError(error) && error.outcome === "failed");
