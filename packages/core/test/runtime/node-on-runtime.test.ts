import { createSimulation, type SimulatedProcess, type World } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createNode,
  createRuntime,
  keyValueClient,
  keyValueStore,
  type Node,
  type NodeParts,
  type Runtime,
  type RuntimeEvent,
  type RuntimeOptions,
} from "../../src/index.js";
import { bytes, identityOf, text } from "../support/cluster.js";

beforeAll(() => prepareWalrus());

interface Host {
  readonly world: World;
  readonly process: SimulatedProcess;
  readonly runtime: Runtime;
  readonly events: RuntimeEvent[];
  node(name: string, parts?: Partial<NodeParts>): Node;
  start(...nodes: Node[]): Promise<void>;
}

/** One simulated process with a runtime, for nodes that are clusters of their own. */
function host(seed: number, options: RuntimeOptions = {}): Host {
  const world = createSimulation({ seed });
  const process = world.process("n1", identityOf(1));
  const { clock, scheduler, random, fileSystem } = process;
  const events: RuntimeEvent[] = [];
  const runtime = createRuntime(options, { clock, scheduler, onEvent: (event) => events.push(event) });
  let port = 7000;
  const node = (name: string, parts: Partial<NodeParts> = {}): Node => {
    const members = [{ id: 1, address: `n1:${port++}` }];
    const transport = process.createTransport();
    return createNode(
      { id: 1, cluster: "test", directory: `/${name}`, members, tickMs: 20 },
      { stateMachine: keyValueStore(), random, fileSystem, transport, runtime, ...parts },
    );
  };
  const start = async (...nodes: Node[]): Promise<void> => {
    await world.runUntilSettled(Promise.all(nodes.map((each) => each.start())));
    await world.runUntil(() => nodes.every((each) => each.status().role === "leader"));
  };
  return { world, process, runtime, events, node, start };
}

describe("a node that is given a runtime", () => {
  it("runs on it: its replica is a task there, and all of its turns and timers are the runtime's", async () => {
    const { runtime, world, node, start } = host(1);
    const one = node("one");
    expect(runtime.stats()).toEqual({ tasks: 0, runs: 0, timers: 0, turns: 0 });
    await start(one);
    expect(runtime.tasks()).toEqual([{ group: "node 1", name: "replica", status: "running" }]);
    const { turns, timers } = runtime.stats();
    expect(timers).toBeGreaterThan(0);
    await world.runUntilSettled(keyValueClient(one).put("k", bytes("v")));
    expect(runtime.stats().turns).toBeGreaterThan(turns);
    await world.runUntilSettled(one.close());
  });

  it("shares it with others, takes only its own work away, and leaves it open", async () => {
    const { runtime, world, node, start } = host(2);
    const [first, second] = [node("first"), node("second")];
    await start(first, second);
    expect(runtime.tasks()).toHaveLength(2);
    await world.runUntilSettled(first.close());
    expect(runtime.tasks()).toHaveLength(1);
    const kv = keyValueClient(second);
    await world.runUntilSettled(kv.put("k", bytes("v")));
    expect(text(await world.runUntilSettled(kv.get("k")))).toBe("v");
    await world.runUntilSettled(second.close());
    expect(runtime.state).toBe("open");
    expect(runtime.stats()).toMatchObject({ tasks: 0, timers: 0 });
  });

  it("closes it where it is the node's own", async () => {
    const { runtime, world, node, start } = host(3);
    const only = node("only", { ownsRuntime: true });
    await start(only);
    await world.runUntilSettled(only.close());
    expect(runtime.state).toBe("closed");
  });

  it.each([false, true])("is closed in its own order by the close of the runtime (owned: %s)", async (ownsRuntime) => {
    const { runtime, world, process, events, node, start } = host(4);
    const one = node("one", { ownsRuntime });
    await start(one);
    await world.runUntilSettled(keyValueClient(one).put("k", bytes("v")));
    const pending = one.propose(bytes("late")).catch((error: unknown) => error);
    expect(await world.runUntilSettled(runtime.close())).toEqual({ abandoned: [] });
    expect(one.status().role).toBe("stopped");
    expect(process.disk.openFiles).toBe(0);
    expect(await world.runUntilSettled(pending)).toBeDefined();
    expect(events.map(({ type }) => type)).toEqual(["closing", "closed"]);
    await expect(one.propose(bytes("x"))).rejects.toMatchObject({ code: "OCTOPII_CORE_NOT_RUNNING" });
  });

  it("fails as a task when its disk does, by the runtime's policy", async () => {
    const { runtime, world, process, events, node, start } = host(5, { onError: "close-runtime" });
    const [one, other] = [node("one"), node("other")];
    await start(one, other);
    process.disk.failNext("write", { code: "EIO", times: 1 });
    const failed = keyValueClient(one).put("k", bytes("v"), { timeoutMs: 500 });
    await world.runUntilSettled(failed.catch(() => undefined));
    await world.runUntilSettled(runtime.closed);
    expect(events[0]).toMatchObject({ type: "taskFailed", task: "replica", group: "node 1", policy: "close-runtime" });
    expect([one.status().role, other.status().role]).toEqual(["stopped", "stopped"]);
  });

  it("takes its snapshots as tasks of it", async () => {
    const { runtime, world, node, start } = host(6);
    const one = node("one");
    await start(one);
    const kv = keyValueClient(one);
    for (let i = 0; i < 5; i++) await world.runUntilSettled(kv.put(`k${i}`, bytes("v".repeat(1_000))));
    const taken = one.snapshot();
    await world.runUntil(() => runtime.tasks().some(({ name }) => name.startsWith("snapshot ")));
    expect(runtime.tasks().map(({ name }) => name)).toContain(`snapshot ${one.status().appliedIndex}`);
    expect(await world.runUntilSettled(taken)).toBe(one.status().appliedIndex);
    await world.runUntil(() => runtime.tasks().length === 1);
    await world.runUntilSettled(one.close());
  });

  it("gives its part of it back when it cannot start", async () => {
    const { runtime, world, process, node } = host(7);
    process.disk.failNext("open", { code: "EACCES", times: Number.POSITIVE_INFINITY });
    await expect(world.runUntilSettled(node("one").start())).rejects.toThrow();
    expect(runtime.stats()).toMatchObject({ tasks: 0, timers: 0 });
    expect(runtime.state).toBe("open");
  });
});
