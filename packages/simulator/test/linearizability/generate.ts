import type { Operation } from "../../src/linearizability/index.js";
import type { Seeded } from "./seeded.js";

/** How to produce a history that is linearizable by construction. */
export interface Workload<Input, Output> {
  readonly random: Seeded;
  readonly operations: number;
  readonly clients: number;
  /** Of 100 operations, how many never return; half of those take effect. */
  readonly unknownPercent: number;
  /** The next operation; `serial` is its number, for unique values. */
  input(serial: number): Input;
  /** The copy of the data that all operations act on, one at a time. */
  apply(input: Input): Output;
}

interface Client<Input, Output> {
  process: number;
  index: number;
  input: Input;
  output: Output | undefined;
  fate: "returns" | "lost-after-effect" | "lost-before-effect";
}

/** Runs clients that interleave at random: each calls, takes effect at one moment, and returns. Every event has its own time. */
export function generate<Input, Output>(workload: Workload<Input, Output>): Operation<Input, Output>[] {
  const { random, operations, clients, unknownPercent } = workload;
  const history: Operation<Input, Output>[] = [];
  const slots: (Client<Input, Output> | undefined)[] = Array.from({ length: clients }, () => undefined);
  let processes = clients;
  const names = slots.map((_, slot) => slot);
  for (let time = 0; history.length < operations || slots.some((slot) => slot !== undefined); time += 1) {
    const slot = random.below(clients);
    const client = slots[slot];
    if (client === undefined) {
      if (history.length === operations) continue;
      const input = workload.input(history.length);
      const fate = !random.chance(unknownPercent) ? "returns" : random.chance(50) ? "lost-after-effect" : "lost-before-effect";
      const process = names[slot] ?? 0;
      slots[slot] = { process, index: history.length, input, output: undefined, fate };
      history.push({ client: process, input, output: undefined, call: time, return: Infinity });
    } else if (client.fate === "returns" && client.output !== undefined) {
      history[client.index] = { ...(history[client.index] as Operation<Input, Output>), output: client.output, return: time };
      slots[slot] = undefined;
    } else if (client.fate === "returns") {
      client.output = workload.apply(client.input);
    } else {
      if (client.fate === "lost-after-effect") workload.apply(client.input);
      slots[slot] = undefined;
      names[slot] = processes;
      processes += 1;
    }
  }
  return history;
}
