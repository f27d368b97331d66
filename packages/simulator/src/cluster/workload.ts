import { type Consistency, isCoreError, isRejection, type KeyValueClient, keyValueClient } from "@octopii/core";
import type { Scheduler } from "@octopii/interfaces";
import type { SeededRandom, World } from "@octopii/testing";
import { createHistoryRecorder, type HistoryRecorder, type StoreInput, type StoreOutput } from "../linearizability/index.js";
import type { ClusterPlan } from "./plan.js";
import type { SimulatedMember } from "./simulated-member.js";

/** A client gives up waiting after this; what it asked for may happen all the same. Longer than any call may take on a live node. */
const patienceMs = 5_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Clients that read and write a few keys through whichever member they find alive, and write down what they see. */
export class Workload {
  readonly recorder: HistoryRecorder<StoreInput, StoreOutput>;
  /** Values whose writes were acknowledged, without their padding; each value is written once. */
  readonly acknowledgedValues: string[] = [];
  started = 0;
  acknowledged = 0;
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #members: readonly SimulatedMember[];
  readonly #random: SeededRandom;
  readonly #keys: readonly string[];
  /** Stands before each value. */
  readonly #padding: string;
  readonly #mayUseLeases: boolean;
  #nextValue = 1;
  #active = 0;
  #limit = 0;
  readonly #onHang: (what: string) => void;

  /** @param members - it may grow. */
  constructor(world: World, members: readonly SimulatedMember[], plan: ClusterPlan, onHang: (what: string) => void) {
    this.#onHang = onHang;
    this.#world = world;
    this.#scheduler = world.scheduler();
    this.#members = members;
    this.#random = world.random.fork("workload");
    this.#keys = Array.from({ length: plan.keys }, (_, i) => `key ${i}`);
    this.#padding = "-".repeat(plan.valueBytes);
    this.#mayUseLeases = plan.tuning.leaseReads ?? false;
    this.recorder = createHistoryRecorder<StoreInput, StoreOutput>({ clock: world.clock() });
  }

  /** Starts `clients` that together do `operations` more operations. */
  start(clients: number, operations: number): void {
    this.#limit = this.started + operations;
    for (let i = 0; i < clients; i++) {
      this.#active++;
      this.#later(this.recorder.newProcess());
    }
  }

  /** No operation begins any more; those under way come to their end. */
  stop(): void {
    this.#limit = this.started;
  }

  get isDone(): boolean {
    return this.#active === 0;
  }

  /** Reads every key once more, of one of `members`: what was acknowledged must be there. */
  startFinalReads(members: readonly SimulatedMember[]): void {
    for (const key of this.#keys) {
      this.#active++;
      this.#limit++;
      this.#operate(this.recorder.newProcess(), { kind: "get", key }, members, () => this.#active--);
    }
  }

  #later(process: number): void {
    this.#scheduler.setTimer(this.#random.exponential(20), () => {
      if (this.started >= this.#limit) {
        this.#active--;
        return;
      }
      this.#operate(process, this.#drawInput(), this.#serving(), (next) => this.#later(next));
    });
  }

  #drawInput(): StoreInput {
    const key = this.#random.pick(this.#keys);
    const draw = this.#random.below(10);
    if (draw < 5) return { kind: "put", key, value: `${this.#padding}v${this.#nextValue++}` };
    return draw < 9 ? { kind: "get", key } : { kind: "delete", key };
  }

  /** One operation, from its call to its answer or the end of the client's patience, whichever comes first. */
  #operate(process: number, input: StoreInput, members: readonly SimulatedMember[], then: (process: number) => void): void {
    this.started++;
    this.recorder.invoke(process, input);
    let over = false;
    const finish = (record: () => number): void => {
      if (over) return;
      over = true;
      timer.cancel();
      then(record());
    };
    let asked: { member: SimulatedMember; at: number } | null = null;
    const timer = this.#scheduler.setTimer(patienceMs, () => {
      // A call on a node that ran all the while has a deadline, and settles by it, whatever happens elsewhere.
      if (asked?.member.undisturbedSince(asked.at) === true) this.#onHang(`${input.kind} on ${asked.member.host}`);
      finish(() => this.#unknown(process, "no answer"));
    });
    const member = members.length === 0 ? null : this.#random.pick(members);
    const node = member?.node ?? null;
    if (member === null || node === null) return finish(() => this.#failed(process, "no member is alive"));
    asked = { member, at: this.#world.now() };
    this.#call(keyValueClient(node), input).then(
      (output) => finish(() => this.#succeeded(process, input, output)),
      (error: unknown) => finish(() => (isCertain(error) ? this.#failed(process, String(error)) : this.#unknown(process, String(error)))),
    );
  }

  /** Mostly those who are members as far as they know themselves; now and then whoever lives. */
  #serving(): readonly SimulatedMember[] {
    const alive = this.#members.filter(({ node }) => node !== null);
    const serving = alive.filter(({ id, node }) => node?.status().members.some((member) => member.id === id) === true);
    return serving.length === 0 || this.#random.chance(1, 20) ? alive : serving;
  }

  async #call(kv: KeyValueClient, input: StoreInput): Promise<StoreOutput> {
    switch (input.kind) {
      case "put":
        await kv.put(input.key, encoder.encode(input.value));
        return { kind: "put" };
      case "delete":
        return { kind: "delete", existed: await kv.delete(input.key) };
      case "get": {
        const consistency: Consistency = this.#mayUseLeases && this.#random.chance(2, 3) ? "lease" : "linearizable";
        const value = await kv.get(input.key, { consistency });
        return { kind: "get", value: value === null ? null : decoder.decode(value) };
      }
      case "compare-and-set":
        throw new Error("the key-value store has no compare-and-set");
    }
  }

  #succeeded(process: number, input: StoreInput, output: StoreOutput): number {
    this.acknowledged++;
    if (input.kind === "put") this.acknowledgedValues.push(input.value.slice(this.#padding.length));
    this.recorder.ok(process, output);
    this.#world.note(`client${process}`, "client:ok", this.started);
    return process;
  }

  #failed(process: number, why: string): number {
    this.recorder.fail(process, why);
    this.#world.note(`client${process}`, "client:fail", why);
    return process;
  }

  #unknown(process: number, why: string): number {
    this.recorder.info(process, why);
    this.#world.note(`client${process}`, "client:unknown", why);
    return this.recorder.newProcess();
  }
}

const isCertain = (error: unknown): boolean => isRejection(error) || (isCoreError(error) && error.outcome === "failed");
