import { describe, expect, it } from "vitest";
import {
  checkLinearizability,
  type Operation,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "../../src/linearizability/index.js";

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

const at = (call: number, end: number, input: RegisterInput, output?: RegisterOutput): RegisterOperation => ({
  client: call,
  input,
  output,
  call,
  return: end,
});
const read = (call: number, end: number, value: number | null) => at(call, end, { kind: "read" }, { kind: "read", value });
const write = (call: number, end: number, value: number) => at(call, end, { kind: "write", value }, { kind: "write" });
const cas = (call: number, end: number, expected: number | null, value: number, swapped: boolean) =>
  at(call, end, { kind: "cas", expected, value }, { kind: "cas", swapped });
const lostWrite = (call: number, value: number) => at(call, Infinity, { kind: "write", value });
const lostCas = (call: number, expected: number, value: number) => at(call, Infinity, { kind: "cas", expected, value });

const linearizable: readonly (readonly [string, readonly RegisterOperation[]])[] = [
  ["nothing", []],
  ["a first read of nothing", [read(0, 1, null)]],
  ["a read after a write", [write(0, 1, 1), read(2, 3, 1)]],
  ["a read during a write, new value", [write(0, 9, 1), read(1, 2, 1)]],
  ["a read during a write, old value", [write(0, 9, 1), read(1, 2, null)]],
  ["two reads during a write, old then new", [write(0, 9, 1), read(1, 2, null), read(3, 4, 1)]],
  ["operations that touch in one instant, in either order", [write(0, 5, 1), read(5, 6, null)]],
  ["concurrent writes read in the order opposite to their calls", [write(0, 4, 1), write(1, 4, 2), read(5, 6, 1)]],
  ["a cas that found its value", [write(0, 1, 1), cas(2, 3, 1, 2, true), read(4, 5, 2)]],
  ["a cas that was refused", [write(0, 1, 1), cas(2, 3, 5, 2, false), read(4, 5, 1)]],
  ["a lost write that took effect", [lostWrite(0, 1), read(1, 2, 1)]],
  ["a lost write that did not", [lostWrite(0, 1), read(1, 2, null)]],
  ["a lost write that took effect late", [lostWrite(0, 1), read(1, 2, null), write(3, 4, 2), read(5, 6, 1)]],
  ["a chain of lost operations", [lostWrite(0, 1), lostCas(1, 1, 2), lostCas(2, 2, 3), read(5, 6, 3)]],
  ["a refused cas that only a lost write explains", [write(0, 1, 1), lostWrite(2, 9), cas(3, 4, 1, 5, false), read(5, 6, 9)]],
  ["an unknown read", [write(0, 1, 1), at(2, Infinity, { kind: "read" })]],
  [
    "an acknowledged operation whose answer was not kept",
    [write(0, 1, 1), at(2, 3, { kind: "cas", expected: 1, value: 2 }), read(4, 5, 2)],
  ],
];

const violating: readonly (readonly [string, readonly RegisterOperation[]])[] = [
  ["a value nobody wrote", [read(0, 1, 1)]],
  ["a stale read", [write(0, 1, 1), write(2, 3, 2), read(4, 5, 1)]],
  ["a lost update", [write(0, 1, 1), read(2, 3, null)]],
  ["a read from the future", [read(0, 1, 1), write(2, 3, 1)]],
  ["two reads during a write, new then old", [write(0, 9, 1), read(1, 2, 1), read(3, 4, null)]],
  ["two clients that disagree on the order of writes", [write(0, 9, 1), write(0, 9, 2), read(10, 11, 1), read(12, 13, 2)]],
  ["two cas that both won", [write(0, 1, 1), cas(2, 9, 1, 2, true), cas(2, 9, 1, 3, true)]],
  ["a cas refused though its value was there", [write(0, 1, 1), cas(2, 3, 1, 2, false)]],
  ["a lost write read and then forgotten", [write(0, 1, 1), lostWrite(2, 2), read(3, 4, 2), read(5, 6, 1)]],
  ["a lost write read before it was called", [read(0, 1, 7), lostWrite(2, 7)]],
  [
    "a lost write used twice",
    [lostWrite(0, 1), read(1, 2, 1), write(3, 4, 2), read(5, 6, 2), write(7, 8, 3), read(9, 10, 1), read(11, 12, 3), read(13, 14, 1)],
  ],
  ["a chain with a gap", [lostWrite(0, 1), lostCas(1, 2, 3), read(5, 6, 3)]],
];

describe("histories of one register", () => {
  it.each(linearizable)("allows %s", (_name, history) => {
    expect(checkLinearizability(registerModel(), history)).toMatchObject({ verdict: "linearizable", operations: history.length });
  });

  it.each(violating)("refuses %s", (_name, history) => {
    expect(checkLinearizability(registerModel(), history).verdict).toBe("violation");
  });

  it("starts from the value it is given", () => {
    expect(checkLinearizability(registerModel(4), [read(0, 1, 4)]).verdict).toBe("linearizable");
    expect(checkLinearizability(registerModel(4), [read(0, 1, null)]).verdict).toBe("violation");
  });

  it("does not depend on the order in which operations are listed", () => {
    for (const [, history] of linearizable)
      expect(checkLinearizability(registerModel(), [...history].reverse()).verdict).toBe("linearizable");
    for (const [, history] of violating) expect(checkLinearizability(registerModel(), [...history].reverse()).verdict).toBe("violation");
  });

  it("tells calls with one input apart by answers that are known though nobody waited for them", () => {
    const input = { kind: "cas", expected: 1, value: 2 } as const;
    const history = [
      write(0, 1, 1),
      at(2, Infinity, input, { kind: "cas", swapped: false }),
      at(3, Infinity, input, { kind: "cas", swapped: true }),
    ];
    expect(checkLinearizability(registerModel(1), [...history, read(4, 5, 2)]).verdict).toBe("linearizable");
  });

  it("refuses an answer that belongs to another call", () => {
    const mixed = [at(0, 1, { kind: "read" }, { kind: "write" })];
    expect(() => checkLinearizability(registerModel(), mixed)).toThrow(/a read was given the answer of a write/);
  });
});
