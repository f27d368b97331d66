import { type Consistency, type KeyValueClient, type KeyValueStore, keyValueClient, keyValueStore, type Replicated } from "@octopii/core";
import { type StoreInput, type StoreOutput, storeJepsen, storeModel } from "../linearizability/index.js";
import type { SimulatedService, Workload } from "./service.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Sizes of a key-value workload. */
export interface KeyValueSizes {
  readonly keys: number;
  /** What each value is filled up with. */
  readonly valueBytes: number;
}

/** The key-value store that comes with core, and clients that read, write and delete a few keys, each value written once. */
export function keyValueService({ keys, valueBytes }: KeyValueSizes): SimulatedService<StoreInput, StoreOutput> {
  const names = Array.from({ length: keys }, (_, i) => `key ${i}`);
  const padding = "-".repeat(valueBytes);
  return {
    stateMachine: keyValueStore,
    workload: workload(names, padding),
    digest: (machine) => JSON.stringify((machine as KeyValueStore).entries()),
  };
}

function workload(names: readonly string[], padding: string): Workload<StoreInput, StoreOutput> {
  return {
    next: ({ random, number }) => {
      const key = random.pick(names);
      const draw = random.below(10);
      if (draw < 5) return { kind: "put", key, value: `${padding}v${number}` };
      return draw < 9 ? { kind: "get", key } : { kind: "delete", key };
    },
    call: (cluster, input, consistency) => call(cluster, input, consistency),
    model: storeModel(),
    jepsen: storeJepsen,
    finalReads: () => names.map((key) => ({ kind: "get", key })),
    markOfInput: (input) => (input.kind === "put" ? markIn(input.value) : null),
    markOfCommand: (command) => markIn(decoder.decode(command)),
  };
}

/** Each value ends with a `v` and a number of its own. */
const markIn = (text: string): string | null => /v\d+$/.exec(text)?.[0] ?? null;

async function call(cluster: Replicated, input: StoreInput, consistency: Consistency): Promise<StoreOutput> {
  const kv: KeyValueClient = keyValueClient(cluster);
  switch (input.kind) {
    case "put":
      await kv.put(input.key, encoder.encode(input.value));
      return { kind: "put" };
    case "delete":
      return { kind: "delete", existed: await kv.delete(input.key) };
    case "get": {
      const value = await kv.get(input.key, { consistency });
      return { kind: "get", value: value === null ? null : decoder.decode(value) };
    }
    case "compare-and-set":
      throw new Error("the key-value store has no compare-and-set");
  }
}
