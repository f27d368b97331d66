import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemScheduler } from "@octopii/system";
import { createMemoryNetwork, createMemoryTransport } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { createNode, keyValueClient, keyValueStore, type Node } from "../src/index.js";
import { bytes, identityOf, members, start } from "./support/cluster.js";

beforeAll(() => prepareWalrus());

/** As JavaScript hands it over, which no type checker has seen. */
const untyped = (value: unknown): Uint8Array => value as Uint8Array;
const outcomeOf = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
/** Handles what they reject with before any of them is waited for. */
const outcomesOf = (...calls: Promise<unknown>[]): Promise<unknown[]> => Promise.all(calls.map(outcomeOf));

describe("what the types forbid", () => {
  it("commands, queries, keys and values that are no bytes are refused before anything is stored", async () => {
    const { world, leader } = await start(1);
    const node = leader();
    const before = node.status().lastIndex;
    for (const value of ["hello", [1, 2], new Uint16Array([258]), new ArrayBuffer(3), 7, null, undefined]) {
      const outcomes = outcomesOf(
        node.propose(untyped(value)),
        node.query(untyped(value)),
        node.query(untyped(value), { consistency: "stale" }),
        keyValueClient(node).put("k", untyped(value)),
        keyValueClient(node).put(value as unknown as string, bytes("v")),
      );
      const [put, ...others] = (await world.runUntilSettled(outcomes)).reverse();
      for (const outcome of others) expect(outcome).toBeInstanceOf(TypeError);
      // A key may be text.
      if (typeof value !== "string") expect(put).toBeInstanceOf(TypeError);
    }
    expect(node.status().lastIndex).toBe(before + 1);
  });

  it("a deadline that never comes is refused, whatever is called", async () => {
    const { world, leader } = await start(2);
    const node: Node = leader();
    for (const timeoutMs of [Number.NaN, Number.POSITIVE_INFINITY, -1, "500" as unknown as number]) {
      const options = { timeoutMs };
      const outcomes = outcomesOf(
        node.propose(bytes("x"), options),
        node.query(bytes("x"), options),
        node.transferLeadership(2, options),
        node.addLearner(9, "n9:1", options),
        node.snapshot(options),
      );
      for (const outcome of await world.runUntilSettled(outcomes)) expect(outcome).toBeInstanceOf(RangeError);
    }
  });
});

describe("a data directory that the system refuses", () => {
  it("is named, with what to do", async () => {
    const parent = await mkdtemp(join(tmpdir(), "octopii-core-"));
    const directory = join(parent, "file");
    await writeFile(directory, "not a directory");
    const identity = { id: 1, cluster: "test", members, directory };
    const network = createMemoryNetwork(systemScheduler, systemClock);
    const transport = createMemoryTransport(network, identityOf(1));
    const node = createNode(identity, { stateMachine: keyValueStore(), transport });
    const error = await outcomeOf(node.start());
    await rm(parent, { recursive: true });
    expect(error).toMatchObject({ code: "OCTOPII_CORE_DIRECTORY_UNUSABLE", outcome: "failed" });
    expect(String(error)).toMatch(new RegExp(`The data directory ${directory} cannot be used: .*; give a directory`));
  });
});
