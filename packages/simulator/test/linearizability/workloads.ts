import type {
  AppendMapInput,
  AppendMapOutput,
  Operation,
  RegisterInput,
  RegisterOutput,
  Scalar,
  StoreInput,
  StoreOutput,
} from "../../src/linearizability/index.js";
import { generate } from "./generate.js";
import type { Seeded } from "./seeded.js";

/** The size of a generated history; `values` bounds the values written, without it each write has its own. */
export interface Shape {
  readonly operations: number;
  readonly clients: number;
  readonly unknownPercent: number;
  readonly values?: number;
}

export function registerHistory(random: Seeded, shape: Shape): Operation<RegisterInput, RegisterOutput>[] {
  let current: Scalar = null;
  const value = (serial: number): number => (shape.values === undefined ? serial : random.below(shape.values));
  return generate<RegisterInput, RegisterOutput>({
    ...shape,
    random,
    input: (serial) => {
      const draw = random.below(10);
      if (draw < 4) return { kind: "read" };
      if (draw < 8) return { kind: "write", value: value(serial) };
      return { kind: "cas", expected: random.chance(50) ? current : value(serial), value: value(serial) };
    },
    apply: (input) => {
      if (input.kind === "read") return { kind: "read", value: current };
      const swapped = input.kind === "write" || input.expected === current;
      if (swapped) current = input.value;
      return input.kind === "write" ? { kind: "write" } : { kind: "cas", swapped };
    },
  });
}

export function appendHistory(random: Seeded, shape: Shape, keys: readonly string[]): Operation<AppendMapInput, AppendMapOutput>[] {
  const data = new Map<string, string>();
  return generate<AppendMapInput, AppendMapOutput>({
    ...shape,
    random,
    input: (serial) => {
      const key = random.pick(keys);
      const value = `${shape.values === undefined ? serial : random.below(shape.values)};`;
      return random.chance(40) ? { kind: "get", key } : { kind: random.chance(20) ? "put" : "append", key, value };
    },
    apply: (input) => {
      const before = data.get(input.key) ?? "";
      if (input.kind === "get") return { kind: "get", value: before };
      data.set(input.key, input.kind === "put" ? input.value : before + input.value);
      return { kind: input.kind };
    },
  });
}

export function storeHistory(random: Seeded, shape: Shape, keys: readonly string[]): Operation<StoreInput, StoreOutput>[] {
  const data = new Map<string, string | null>();
  const current = (key: string): string | null => data.get(key) ?? null;
  return generate<StoreInput, StoreOutput>({
    ...shape,
    random,
    input: (serial) => {
      const key = random.pick(keys);
      const value = String(shape.values === undefined ? serial : random.below(shape.values));
      const draw = random.below(10);
      if (draw < 4) return { kind: "get", key };
      if (draw < 7) return { kind: "put", key, value };
      if (draw < 8) return { kind: "delete", key };
      const expected = random.chance(60) ? current(key) : value;
      return { kind: "compare-and-set", key, expected, value: random.chance(20) ? null : value };
    },
    apply: (input) => {
      const before = current(input.key);
      if (input.kind === "get") return { kind: "get", value: before };
      const swapped = input.kind !== "compare-and-set" || input.expected === before;
      if (swapped) data.set(input.key, input.kind === "delete" ? null : input.value);
      if (input.kind === "put") return { kind: "put" };
      return input.kind === "delete" ? { kind: "delete", existed: before !== null } : { kind: "compare-and-set", swapped };
    },
  });
}
