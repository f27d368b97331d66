import { describe, expect, test } from "vitest";
import { createSimulation, isTestingError, type TraceRecord } from "../../src/index.js";

describe("virtual time", () => {
  test("moves from event to event and stops where it was told", async () => {
    const world = createSimulation({ seed: 1 });
    const times: number[] = [];
    for (const delay of [30, 10, 20.5]) world.scheduler().setTimer(delay, () => times.push(world.now()));
    await world.runFor(25);
    expect(times).toEqual([10, 20.5]);
    expect(world.now()).toBe(25);
    await world.runUntil(40);
    expect(times).toEqual([10, 20.5, 30]);
    expect(world.clock().wallTime() - world.clock().now()).toBe(Date.UTC(2026, 0, 1));
  });

  test("a timer never fires early, and fires once", async () => {
    const world = createSimulation({ seed: 2 });
    const { clock, scheduler } = world.process("n");
    let fired = 0;
    for (const delay of [0.0001, 1 / 3, Math.PI, 99.99999]) {
      const deadline = clock.now() + delay;
      scheduler.setTimer(delay, () => {
        fired += 1;
        expect(clock.now()).toBeGreaterThanOrEqual(deadline);
        expect(clock.now() - deadline).toBeLessThan(0.002);
      });
    }
    await world.runFor(200);
    expect(fired).toBe(4);
  });

  test("cancelled timers do not run, at any time and however often cancelled", async () => {
    const world = createSimulation({ seed: 3 });
    const { scheduler } = world.process("n");
    const ran: string[] = [];
    const early = scheduler.setTimer(5, () => ran.push("early"));
    const late = scheduler.setTimer(10, () => ran.push("late"));
    scheduler.setTimer(7, () => {
      late.cancel();
      early.cancel();
    });
    const turn = scheduler.setTimer(0, () => ran.push("turn"));
    turn.cancel();
    turn.cancel();
    await world.runFor(20);
    expect(ran).toEqual(["early"]);
  });

  test("turns run after everything that is due at their instant, promise jobs before the next event", async () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const world = createSimulation({ seed, disk: { metadataLatency: { minMs: 0, meanMs: 0 } } });
      const { scheduler, fileSystem } = world.process("n");
      const order: string[] = [];
      scheduler.setTimer(10, () => {
        scheduler.nextTurn(() => {
          order.push("turn");
          scheduler.nextTurn(() => order.push("second turn"));
        });
        scheduler.setTimer(-1, () => order.push("turn"));
        void fileSystem.makeDirectory("/d").then(() => order.push("completion"));
        order.push("timer");
        void Promise.resolve().then(async () => {
          for (let hop = 0; hop < 50; hop += 1) await Promise.resolve();
          order.push("promise");
        });
      });
      scheduler.setTimer(10, () => order.push("timer"));
      await world.runFor(20);
      const firstJob = order.indexOf("promise");
      expect(order[firstJob - 1]).toBe("timer");
      const sorted = order.filter((name) => name !== "promise");
      expect(sorted.slice(0, 3).sort()).toEqual(["completion", "timer", "timer"]);
      expect(sorted.slice(3)).toEqual(["turn", "turn", "second turn"]);
    }
  });

  test("the order of what is due together is the seed's", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const world = createSimulation({ seed });
      const order: number[] = [];
      for (let index = 0; index < 4; index += 1) world.scheduler().setTimer(1, () => order.push(index));
      await world.runFor(1);
      orders.add(order.join(""));
    }
    expect(orders.size).toBeGreaterThan(12);
  });
});

describe("runs", () => {
  test("a predicate is asked after every event", async () => {
    const world = createSimulation({ seed: 1 });
    let count = 0;
    const tick = (): void => {
      count += 1;
      world.scheduler().setTimer(1, tick);
    };
    tick();
    await world.runUntil(() => count === 50);
    expect(world.now()).toBe(49);
    await world.runUntil(() => true);
    expect(count).toBe(50);
  });

  test("runUntilSettled gives and throws what the promise does", async () => {
    const world = createSimulation({ seed: 1 });
    const { scheduler } = world.process("n");
    const later = (error: Error | null) =>
      new Promise<string>((resolve, reject) => scheduler.setTimer(5, () => (error === null ? resolve("done") : reject(error))));
    expect(await world.runUntilSettled(later(null))).toBe("done");
    await expect(world.runUntilSettled(later(new Error("no")))).rejects.toThrow("no");
  });

  test("end with an error that names the seed when something throws, and never go on", async () => {
    for (const microtasks of ["auto", "portable"] as const) {
      const world = createSimulation({ seed: "bad-luck", microtasks });
      const bug = new Error("a bug");
      let after = 0;
      world.process("n7").scheduler.setTimer(3, () => {
        throw bug;
      });
      world.scheduler().setTimer(4, () => {
        after += 1;
      });
      const error: unknown = await world.runFor(10).catch((reason: unknown) => reason);
      expect(isTestingError(error, "OCTOPII_TESTING_EVENT_THREW")).toBe(true);
      expect(error).toMatchObject({ cause: bug, message: "seed bad-luck: in a timer of n7 at 3 ms: a bug" });
      await expect(world.runFor(10)).rejects.toThrow("a bug");
      expect(after).toBe(0);
    }
  });

  test("end with an error when events, time or things to do run out", async () => {
    const world = createSimulation({ seed: 9, maxEventsPerInstant: 1_000 });
    const { scheduler } = world.process("n");
    await expect(world.runUntil(() => false)).rejects.toMatchObject({ code: "OCTOPII_TESTING_QUIET" });
    const tick = (): void => void scheduler.setTimer(1, tick);
    tick();
    await expect(world.runUntil(() => false, { maxEvents: 10 })).rejects.toMatchObject({ code: "OCTOPII_TESTING_LIMIT" });
    expect(world.events).toBe(10);
    await expect(world.runUntil(() => false, { withinMs: 100 })).rejects.toMatchObject({ code: "OCTOPII_TESTING_LIMIT" });
    await expect(world.runUntilQuiet({ withinMs: 100 })).rejects.toMatchObject({ code: "OCTOPII_TESTING_LIMIT" });
    const spin = (): void => scheduler.nextTurn(spin);
    spin();
    await expect(world.runFor(5)).rejects.toMatchObject({
      code: "OCTOPII_TESTING_STANDSTILL",
      message: expect.stringMatching(/^seed 9: /),
    });
  });

  test("cannot overlap", async () => {
    const world = createSimulation({ seed: 1 });
    const first = world.runFor(10);
    await expect(world.runFor(10)).rejects.toMatchObject({ code: "OCTOPII_TESTING_STATE" });
    await first;
    expect(world.now()).toBe(10);
  });

  test("refuse bad options all at once", () => {
    const make = () => createSimulation({ seed: Number.NaN, maxEventsPerInstant: 0, startWallTime: -1 });
    expect(make).toThrow(/seed must.*startWallTime must.*maxEventsPerInstant must/);
    expect(() => createSimulation({ seed: 1, network: { lossPerMillion: 0.5, minDelayMs: -1 } })).toThrow(/minDelayMs.*lossPerMillion/);
    expect(() => createSimulation({ seed: 1 }).process("bad name")).toThrow(RangeError);
  });
});

describe("processes", () => {
  test("a crash silences timers, turns, completions, messages and connections", async () => {
    const world = createSimulation({ seed: 5 });
    const victim = world.process("victim");
    const peer = world.process("peer");
    const heard: string[] = [];
    victim.scheduler.setTimer(10, () => heard.push("timer"));
    victim.scheduler.nextTurn(() => heard.push("turn"));
    void victim.fileSystem.makeDirectory("/x").finally(() => heard.push("completion"));
    victim.datagrams.onDatagram = () => heard.push("datagram");
    peer.datagrams.send("victim", new Uint8Array(3));
    void victim.transport.connect("peer:1").finally(() => heard.push("connect"));
    victim.crash();
    victim.crash();
    victim.scheduler.setTimer(1, () => heard.push("timer after death"));
    victim.scheduler.nextTurn(() => heard.push("turn after death"));
    void victim.fileSystem.makeDirectory("/y").finally(() => heard.push("completion after death"));
    victim.datagrams.send("peer", new Uint8Array(3));
    peer.datagrams.onDatagram = () => heard.push("message of the dead");
    await world.runFor(60_000);
    expect(heard).toEqual([]);
    expect(victim.state).toBe("dead");
  });

  test("a restart gives fresh ports on the same disk and host", async () => {
    const world = createSimulation({ seed: 6 });
    const first = world.process("n");
    const opened = first.fileSystem.open("/f", { mode: "create", durableWrites: true });
    const file = await world.runUntilSettled(opened);
    await world.runUntilSettled(file.write([new Uint8Array([1, 2, 3])], 0));
    await world.runUntilSettled(first.fileSystem.syncDirectory("/"));
    const second = first.restart();
    expect([first.state, second.state, second.incarnation]).toEqual(["dead", "running", 2]);
    expect(world.process("n")).toBe(second);
    expect(second.random.uint32()).not.toBe(world.random.fork("process/n/1").uint32());
    expect(second.clock.now()).toBe(0);
    const again = await world.runUntilSettled(second.fileSystem.open("/f", { mode: "read" }));
    const bytes = new Uint8Array(10);
    expect(await world.runUntilSettled(again.read(bytes, 0))).toBe(3);
    second.datagrams.onDatagram = (message) => world.note("n", "got", message.length);
    world.process("other").datagrams.send("n", new Uint8Array(5));
    await world.runFor(100);
    expect(world.network.counts.delivered).toBe(1);
    expect(() => first.createTransport()).toThrow(/restart/);
    expect(() => world.process("n", {})).toThrow(/exists already/);
  });

  test("a pause holds everything back, and time goes on", async () => {
    const world = createSimulation({ seed: 7 });
    const sleeper = world.process("sleeper");
    const heard: [string, number][] = [];
    const note = (what: string) => () => void heard.push([what, sleeper.clock.now()]);
    sleeper.scheduler.setTimer(10, note("timer"));
    const cancelled = sleeper.scheduler.setTimer(20, note("cancelled"));
    void sleeper.fileSystem.makeDirectory("/x").then(note("completion"));
    sleeper.datagrams.onDatagram = note("datagram");
    world.process("peer").datagrams.send("sleeper", new Uint8Array(1));
    sleeper.pause();
    await world.runFor(500);
    expect(heard).toEqual([]);
    cancelled.cancel();
    sleeper.resume();
    await world.runFor(1);
    expect(heard.map(([what]) => what).sort()).toEqual(["completion", "datagram", "timer"]);
    expect(new Set(heard.map(([, time]) => time))).toEqual(new Set([500]));
  });

  test("clocks drift and step, and monotonic time does not step", async () => {
    const world = createSimulation({ seed: 8 });
    const fast = world.process("fast");
    const steady = world.process("steady");
    fast.setClockRate(100_000);
    let woke = 0;
    fast.scheduler.setTimer(110, () => {
      woke = world.now();
    });
    await world.runFor(1_000);
    expect(fast.clock.now()).toBeCloseTo(1_100, 6);
    expect(steady.clock.now()).toBe(1_000);
    expect(woke).toBeCloseTo(100, 2);
    const before = fast.clock.now();
    fast.stepWallClock(-300_000);
    fast.setClockRate(0);
    expect(fast.clock.now()).toBe(before);
    expect(steady.clock.wallTime() - fast.clock.wallTime()).toBeCloseTo(300_000 - 100, 3);
    await world.runFor(10);
    expect(fast.clock.now()).toBeCloseTo(before + 10, 6);
  });
});

test("notes are part of the trace", async () => {
  const hash = async (detail: string | number) => {
    const records: TraceRecord[] = [];
    const world = createSimulation({ seed: 1, traceSink: (record) => records.push(record) });
    await world.runFor(3);
    world.note("n1", "vote", detail);
    expect(records.at(-1)).toEqual({ time: 3, node: "n1", kind: "vote", detail });
    return world.traceHash();
  };
  expect(await hash("n2")).toBe(await hash("n2"));
  expect(await hash("n2")).not.toBe(await hash("n3"));
  expect(await hash(2 ** 33)).not.toBe(await hash(2 ** 34));
  expect(await hash(1)).toMatch(/^[0-9a-f]{16}$/);
});

test("what each living process waits for can be counted", async () => {
  const world = createSimulation({ seed: 1 });
  const [first, second] = [world.process("n1"), world.process("n2")];
  for (let i = 1; i <= 3; i += 1) first.scheduler.setTimer(i * 10, () => undefined);
  second.scheduler.setTimer(10, () => undefined);
  first.scheduler.setTimer(10, () => undefined).cancel();
  expect(world.pendingByProcess()).toEqual(
    new Map([
      ["n1", 3],
      ["n2", 1],
    ]),
  );
  await world.runFor(15);
  second.kill();
  expect(world.pendingByProcess()).toEqual(new Map([["n1", 2]]));
});
