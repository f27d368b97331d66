import { describe, expect, it } from "vitest";
import {
  type AppendMapInput,
  type AppendMapOutput,
  appendMapModel,
  checkLinearizability,
  type StoreInput,
  type StoreOutput,
  storeModel,
} from "../../src/linearizability/index.js";

/** One client after the other, so that there is only one order. */
function inTurn<Input, Output>(...steps: readonly (readonly [Input, Output | undefined])[]) {
  return steps.map(([input, output], turn) => ({ client: 0, input, output, call: 2 * turn, return: 2 * turn + 1 }));
}

describe("a map with append", () => {
  const judge = (...steps: readonly (readonly [AppendMapInput, AppendMapOutput])[]) =>
    checkLinearizability(appendMapModel(), inTurn(...steps)).verdict;
  const append = (key: string, value: string) => [{ kind: "append", key, value }, { kind: "append" }] as const;
  const put = (key: string, value: string) => [{ kind: "put", key, value }, { kind: "put" }] as const;
  const get = (key: string, value: string) =>
    [
      { kind: "get", key },
      { kind: "get", value },
    ] as const;

  it("keeps keys apart and the order of appends", () => {
    expect(judge(get("a", ""), append("a", "1"), append("b", "x"), append("a", "2"), get("a", "12"), get("b", "x"))).toBe("linearizable");
    expect(judge(append("a", "1"), append("a", "2"), get("a", "21"))).toBe("violation");
  });

  it("starts again at a put", () => {
    expect(judge(append("a", "1"), put("a", "2"), append("a", "3"), get("a", "23"))).toBe("linearizable");
    expect(judge(append("a", "1"), put("a", "2"), get("a", "12"))).toBe("violation");
  });

  it("names the key that violates", () => {
    const result = checkLinearizability(
      appendMapModel(),
      inTurn<AppendMapInput, AppendMapOutput>(append("good", "1"), get("good", "1"), get("bad", "1")),
    );
    expect(result).toMatchObject({ verdict: "violation", partition: "bad", partitions: 2 });
  });
});

describe("a store", () => {
  const judge = (...steps: readonly (readonly [StoreInput, StoreOutput | undefined])[]) =>
    checkLinearizability(storeModel(), inTurn(...steps)).verdict;
  const put = (value: string) => [{ kind: "put", key: "k", value }, { kind: "put" }] as const;
  const get = (value: string | null) =>
    [
      { kind: "get", key: "k" },
      { kind: "get", value },
    ] as const;
  const remove = (existed?: boolean): readonly [StoreInput, StoreOutput] => [
    { kind: "delete", key: "k" },
    existed === undefined ? { kind: "delete" } : { kind: "delete", existed },
  ];
  const cas = (expected: string | null, value: string | null, swapped: boolean) =>
    [
      { kind: "compare-and-set", key: "k", expected, value },
      { kind: "compare-and-set", swapped },
    ] as const;

  it("tells a missing key from an empty value", () => {
    expect(judge(get(null), put(""), get(""), remove(), get(null))).toBe("linearizable");
    expect(judge(put(""), get(null))).toBe("violation");
    expect(judge(put("1"), remove(), get("1"))).toBe("violation");
  });

  it("believes a delete that says whether there was something", () => {
    expect(judge(remove(false), put("1"), remove(true), remove(false))).toBe("linearizable");
    expect(judge(remove(true))).toBe("violation");
    expect(judge(put("1"), remove(false))).toBe("violation");
  });

  it("creates and deletes by compare-and-set with null", () => {
    expect(judge(cas(null, "1", true), cas(null, "2", false), cas("1", null, true), get(null))).toBe("linearizable");
    expect(judge(cas(null, "1", true), cas(null, "2", true))).toBe("violation");
    expect(judge(put("1"), cas("1", "2", false))).toBe("violation");
  });

  it("takes any effect that an unknown answer leaves open", () => {
    const lost = { client: 9, input: { kind: "delete", key: "k" } as const, output: undefined, call: 0, return: Infinity };
    const history = inTurn<StoreInput, StoreOutput>(put("1"), get("1"), get(null));
    expect(checkLinearizability(storeModel(), [...history, lost]).verdict).toBe("linearizable");
    expect(checkLinearizability(storeModel(), history).verdict).toBe("violation");
  });

  it("takes the lost put that a compare-and-set found, though no read showed it", () => {
    const lost = (value: string) => ({
      client: 9,
      input: { kind: "put", key: "k", value } as const,
      output: undefined,
      call: 0,
      return: Infinity,
    });
    const history = inTurn<StoreInput, StoreOutput>(get(null), cas("b", "c", true), get("c"));
    expect(checkLinearizability(storeModel(), [...history, lost("a"), lost("b")]).verdict).toBe("linearizable");
    expect(checkLinearizability(storeModel(), [...history, lost("a")]).verdict).toBe("violation");
  });
});
