import { describe, test } from "vitest";
import { createMemoryKeyValue, testLogStorage, testSnapshotStorage, testStateMachine } from "../../src/conformance/index.js";
import { historyOfKeys, logFixture, promiseScheduler, snapshotFixture } from "./fixtures.js";

describe("the memory twins keep their contracts", () => {
  const faults = ["failWrites", "damage"] as const;
  const suites = [
    testLogStorage("log, durable at once", () => logFixture(null), { faults }),
    testLogStorage("log, durable later", () => logFixture(promiseScheduler), { faults, crashPoints: 30 }),
    testSnapshotStorage("snapshots", () => snapshotFixture(), { faults: ["damage"] }),
    testStateMachine("keys and values", { create: () => ({ stateMachine: createMemoryKeyValue() }), commands: historyOfKeys }),
  ];
  for (const { name, run } of suites.flat()) test(name, run);
});
