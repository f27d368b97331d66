import { describe, expect, it } from "vitest";
import {
  appendMapJepsen,
  checkEvents,
  createHistoryRecorder,
  encodeEdn,
  encodeJson,
  operationsOf,
  type RegisterInput,
  type RegisterOutput,
  registerJepsen,
  registerModel,
  type StoreInput,
  type StoreOutput,
  storeJepsen,
  toJepsen,
} from "../../src/linearizability/index.js";

function recorder<Input = RegisterInput, Output = RegisterOutput>(maxEvents?: number) {
  let time = 0;
  const clock = {
    now: () => {
      time += 0.5;
      return time;
    },
  };
  return createHistoryRecorder<Input, Output>({ clock }, maxEvents === undefined ? {} : { maxEvents });
}

const write = (value: number) => ({ kind: "write", value }) as const;
const read = { kind: "read" } as const;

describe("a history recorder", () => {
  it("turns what it saw into operations in order of call", () => {
    const history = recorder();
    const [a, b, c] = [history.newProcess(), history.newProcess(), history.newProcess()];
    history.invoke(a, write(1));
    history.invoke(b, read);
    history.ok(b, { kind: "read", value: null });
    history.ok(a, { kind: "write" });
    history.invoke(a, write(2));
    history.fail(a, "not the leader");
    history.invoke(b, write(3));
    history.info(b, "timed out");
    history.invoke(c, read);
    expect(history.operations()).toEqual([
      { client: a, input: write(1), output: { kind: "write" }, call: 0, return: 3 },
      { client: b, input: read, output: { kind: "read", value: null }, call: 1, return: 2 },
      { client: b, input: write(3), output: undefined, call: 6, return: Infinity },
      { client: c, input: read, output: undefined, call: 8, return: Infinity },
    ]);
    expect(checkEvents(registerModel(), history.events).verdict).toBe("linearizable");
    expect(history.events.map(({ time }) => time)).toEqual([0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]);
  });

  it("orders events of one instant as they were recorded", () => {
    const history = createHistoryRecorder<RegisterInput, RegisterOutput>({ clock: { now: () => 7 } });
    const process = history.newProcess();
    history.invoke(process, write(1));
    history.ok(process, { kind: "write" });
    history.invoke(process, read);
    history.ok(process, { kind: "read", value: null });
    expect(checkEvents(registerModel(), history.events).verdict).toBe("violation");
  });

  it("refuses what no client can do", () => {
    const history = recorder();
    expect(() => history.invoke(0, read)).toThrow(/not one that newProcess/);
    const process = history.newProcess();
    expect(() => history.ok(process, { kind: "write" })).toThrow(/no operation under way/);
    history.invoke(process, read);
    expect(() => history.invoke(process, read)).toThrow(/under way/);
    history.info(process);
    expect(() => history.invoke(process, read)).toThrow(/newProcess/);
    expect(() => history.ok(process, { kind: "read", value: null })).toThrow(/no operation under way/);
    expect(history.events).toHaveLength(2);
  });

  it("is bounded, yet lets what is under way come to its end", () => {
    const history = recorder(1);
    const [a, b] = [history.newProcess(), history.newProcess()];
    history.invoke(a, read);
    expect(() => history.invoke(b, read)).toThrow(/maxEvents/);
    history.ok(a, { kind: "read", value: null });
    expect(history.events).toHaveLength(2);
    expect(() => recorder(0)).toThrow(/maxEvents/);
  });
});

describe("operations of events", () => {
  it("refuses a process that calls twice, or again after an unknown outcome, or answers unasked", () => {
    const event = (type: "invoke" | "ok" | "info", index: number) => ({ index, time: index, process: 4, type, input: read });
    expect(() => operationsOf([event("invoke", 0), event("invoke", 1)])).toThrow(/Event 1: process 4/);
    expect(() => operationsOf([event("invoke", 0), event("info", 1), event("invoke", 2)])).toThrow(/Event 2: process 4/);
    expect(() => operationsOf([event("ok", 0)])).toThrow(/Event 0: process 4/);
  });
});

describe("an exported history", () => {
  it("is EDN as Jepsen writes it", () => {
    const history = recorder();
    const [a, b] = [history.newProcess(), history.newProcess()];
    history.invoke(a, write(1));
    history.ok(a, { kind: "write" });
    history.invoke(b, { kind: "cas", expected: 1, value: 2 });
    history.ok(b, { kind: "cas", swapped: false });
    history.invoke(b, read);
    history.ok(b, { kind: "read", value: 1 });
    history.invoke(a, write(3));
    history.info(a, 'said "no"\n');
    expect(encodeEdn(toJepsen(history.events, registerJepsen)).split("\n")).toEqual([
      "{:index 0, :time 500000, :process 0, :type :invoke, :f :write, :value 1}",
      "{:index 1, :time 1000000, :process 0, :type :ok, :f :write, :value 1}",
      "{:index 2, :time 1500000, :process 1, :type :invoke, :f :cas, :value [1 2]}",
      "{:index 3, :time 2000000, :process 1, :type :fail, :f :cas, :value [1 2]}",
      "{:index 4, :time 2500000, :process 1, :type :invoke, :f :read, :value nil}",
      "{:index 5, :time 3000000, :process 1, :type :ok, :f :read, :value 1}",
      "{:index 6, :time 3500000, :process 0, :type :invoke, :f :write, :value 3}",
      '{:index 7, :time 4000000, :process 0, :type :info, :f :write, :value 3, :error "said \\"no\\"\\n"}',
      "",
    ]);
  });

  it("shows a store as registers under independent keys", () => {
    const history = recorder<StoreInput, StoreOutput>();
    const process = history.newProcess();
    history.invoke(process, { kind: "put", key: "k", value: "v\u0001" });
    history.ok(process, { kind: "put" });
    history.invoke(process, { kind: "delete", key: "k" });
    history.ok(process, { kind: "delete", existed: true });
    history.invoke(process, { kind: "compare-and-set", key: "k", expected: null, value: "w" });
    history.ok(process, { kind: "compare-and-set", swapped: true });
    history.invoke(process, { kind: "get", key: "k" });
    history.ok(process, { kind: "get", value: "w" });
    const lines = encodeEdn(toJepsen(history.events, storeJepsen)).split("\n");
    expect(lines.map((line) => line.replace(/^.*:type /, ""))).toEqual([
      ':invoke, :f :write, :value ["k" "v\\u0001"]}',
      ':ok, :f :write, :value ["k" "v\\u0001"]}',
      ':invoke, :f :write, :value ["k" nil]}',
      ':ok, :f :write, :value ["k" nil]}',
      ':invoke, :f :cas, :value ["k" [nil "w"]]}',
      ':ok, :f :cas, :value ["k" [nil "w"]]}',
      ':invoke, :f :read, :value ["k" nil]}',
      ':ok, :f :read, :value ["k" "w"]}',
      "",
    ]);
  });

  it("is JSON with the same names, an event a line", () => {
    const events = [
      { index: 0, time: 1, process: 0, type: "invoke", input: { kind: "append", key: "k", value: "v" } },
      { index: 1, time: 2, process: 0, type: "info", input: { kind: "append", key: "k", value: "v" }, error: "gone" },
    ] as const;
    const text = encodeJson(toJepsen(events, appendMapJepsen));
    expect(text.split("\n")).toHaveLength(5);
    expect(JSON.parse(text)).toEqual([
      { index: 0, time: 1_000_000, process: 0, type: "invoke", f: "append", value: ["k", "v"] },
      { index: 1, time: 2_000_000, process: 0, type: "info", f: "append", value: ["k", "v"], error: "gone" },
    ]);
    expect(JSON.parse(encodeJson([]))).toEqual([]);
  });

  it("refuses a function name that would not be a keyword", () => {
    expect(() => encodeEdn([{ index: 0, time: 0, process: 0, type: "invoke", f: "a b", value: null }])).toThrow(/keyword/);
  });
});
