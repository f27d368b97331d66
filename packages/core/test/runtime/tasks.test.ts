import { createManualTime } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { createRuntime, isRuntimeError, type Runtime, type RuntimeEvent } from "../../src/index.js";

interface Bench {
  readonly runtime: Runtime;
  readonly events: RuntimeEvent[];
  /** Lets time pass, in small steps, and promises settle in between. */
  pass(milliseconds: number): Promise<void>;
}

function bench(options = {}): Bench {
  const { clock, scheduler, advance } = bound(createManualTime());
  const events: RuntimeEvent[] = [];
  const runtime = createRuntime(options, { clock, scheduler, onEvent: (event) => events.push(event) });
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed <= milliseconds; passed += 10) {
      advance(passed === 0 ? 0 : 10);
      for (let jobs = 0; jobs < 20; jobs++) await Promise.resolve();
    }
  };
  return { runtime, events, pass };
}

const bound = (time: ReturnType<typeof createManualTime>) => ({
  clock: time.clock,
  scheduler: time.scheduler,
  advance: (milliseconds: number) => time.advance(milliseconds),
});
const never = (): Promise<never> => new Promise(() => undefined);
const untilAborted = ({ signal }: { signal: AbortSignal }): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

describe("a task", () => {
  it("gives its value to whoever joins, however many", async () => {
    const { runtime } = bench();
    const task = runtime.spawn(async () => 42, { name: "answer" });
    expect(task).toMatchObject({ name: "answer", status: "running" });
    expect(await Promise.all([task.join(), task.join()])).toEqual([42, 42]);
    expect(task.status).toBe("succeeded");
    expect(runtime.stats().tasks).toBe(0);
  });

  it("has run up to its first await when spawn returns", () => {
    const { runtime } = bench();
    let begun = false;
    runtime.spawn(async () => {
      begun = true;
      await never();
    });
    expect(begun).toBe(true);
    expect(runtime.tasks()).toEqual([{ group: "runtime", name: "task", status: "running" }]);
  });

  it("sleeps on the runtime's time, and wakes early when it is cancelled", async () => {
    const { runtime, pass } = bench();
    const slept: string[] = [];
    const sleeper = (name: string) => async (context: { sleep(ms: number): Promise<void> }) => {
      await context.sleep(1_000);
      slept.push(name);
    };
    runtime.spawn(sleeper("first"));
    const second = runtime.spawn(sleeper("second"), { name: "second" });
    await pass(500);
    second.cancel(new Error("enough"));
    expect(await caught(second.join())).toMatchObject({
      code: "OCTOPII_RUNTIME_TASK_CANCELLED",
      message: 'The task "second" was cancelled.',
      outcome: "unknown",
      cause: new Error("enough"),
    });
    expect(second.status).toBe("cancelled");
    await pass(600);
    expect(slept).toEqual(["first"]);
    expect(runtime.stats().timers).toBe(0);
  });

  it("is cancelled by its signal, and never begins if that has aborted", async () => {
    const { runtime } = bench();
    const aborting = new AbortController();
    const task = runtime.spawn(untilAborted, { signal: aborting.signal });
    aborting.abort("stop");
    expect(await caught(task.join())).toMatchObject({ code: "OCTOPII_RUNTIME_TASK_CANCELLED", cause: "stop", outcome: "unknown" });
    let begun = false;
    const late = runtime.spawn(() => (begun = true), { signal: aborting.signal });
    expect(await caught(late.join())).toMatchObject({ code: "OCTOPII_RUNTIME_TASK_CANCELLED", outcome: "failed" });
    expect(begun).toBe(false);
  });

  it("counts what it gives although it was cancelled", async () => {
    const { runtime } = bench();
    const task = runtime.spawn(async ({ signal }) => {
      await untilAborted({ signal }).catch(() => undefined);
      return "finished all the same";
    });
    task.cancel();
    expect(await task.join()).toBe("finished all the same");
    expect(task.status).toBe("succeeded");
  });

  it("goes on when somebody who joined does not wait any more", async () => {
    const { runtime, pass } = bench();
    const task = runtime.spawn(async ({ sleep }) => {
      await sleep(100);
      return 1;
    });
    const leaving = new AbortController();
    const joined = caught(task.join({ signal: leaving.signal }));
    leaving.abort("gone");
    expect(await joined).toBe("gone");
    await pass(100);
    expect(await task.join()).toBe(1);
  });
});

describe("a task's failure", () => {
  it("is told as an event and to whoever joins, and ends nothing else", async () => {
    const { runtime, events } = bench();
    const other = runtime.spawn(never);
    const task = runtime.spawn(
      () => {
        throw new TypeError("broken");
      },
      { name: "fragile" },
    );
    expect(await caught(task.join())).toEqual(new TypeError("broken"));
    expect(task.status).toBe("failed");
    expect(events).toEqual([{ type: "taskFailed", task: "fragile", group: "runtime", error: new TypeError("broken"), policy: "report" }]);
    expect(other.status).toBe("running");
  });

  it("is nobody's but the joiner's with the policy ignore", async () => {
    const { runtime, events } = bench({ onError: "ignore" });
    expect(await caught(runtime.spawn(() => Promise.reject(new Error("no"))).join())).toEqual(new Error("no"));
    expect(events).toEqual([]);
  });

  it("closes the runtime in good order with the policy close-runtime", async () => {
    const { runtime, events } = bench();
    const loop = runtime.spawn(untilAborted, { onClose: "cancel" });
    const error = new Error("the heart");
    runtime.spawn(() => Promise.reject(error), { name: "heart", onError: "close-runtime" });
    expect(await runtime.closed).toEqual({ abandoned: [] });
    expect(runtime.state).toBe("closed");
    expect(events).toEqual([
      { type: "taskFailed", task: "heart", group: "runtime", error, policy: "close-runtime" },
      { type: "closing", cause: error },
      { type: "closed" },
    ]);
    expect(loop.status).toBe("cancelled");
  });
});

describe("the close of a runtime", () => {
  it("takes no new work, joins what comes to its end, and cancels loops at once", async () => {
    const { runtime, pass } = bench();
    const work = runtime.spawn(async ({ sleep }) => {
      await sleep(400);
      return "done";
    });
    const loop = runtime.spawn(untilAborted, { onClose: "cancel" });
    const closed = runtime.close({ deadlineMs: 1_000 });
    expect(() => runtime.spawn(never)).toThrow(expect.objectContaining({ code: "OCTOPII_RUNTIME_CLOSED", outcome: "failed" }));
    expect(() => runtime.group("late")).toThrow(expect.objectContaining({ code: "OCTOPII_RUNTIME_CLOSED" }));
    await pass(10);
    expect([work.status, loop.status]).toEqual(["running", "cancelled"]);
    await pass(400);
    expect(await work.join()).toBe("done");
    expect(await closed).toEqual({ abandoned: [] });
  });

  it("cancels at half of the deadline, and abandons at its end what does not stop", async () => {
    const { runtime, events, pass } = bench();
    const obedient = runtime.spawn(untilAborted, { name: "obedient" });
    const deaf = runtime.spawn(never, { name: "deaf" });
    const closed = runtime.close({ deadlineMs: 1_000 });
    await pass(490);
    expect([obedient.status, deaf.status]).toEqual(["running", "running"]);
    await pass(20);
    expect([obedient.status, deaf.status]).toEqual(["cancelled", "running"]);
    await pass(500);
    expect(await closed).toEqual({ abandoned: ["deaf"] });
    expect(await caught(deaf.join())).toMatchObject({ code: "OCTOPII_RUNTIME_TASK_ABANDONED", outcome: "unknown" });
    expect(deaf.status).toBe("abandoned");
    expect(events.map(({ type }) => type)).toEqual(["closing", "taskAbandoned", "closed"]);
    expect(runtime.stats()).toMatchObject({ tasks: 0, timers: 0 });
  });

  it("is the same for whoever asks again", async () => {
    const { runtime } = bench();
    expect(runtime.close()).toBe(runtime.close({ deadlineMs: 0 }));
    expect(await runtime.close()).toEqual({ abandoned: [] });
  });

  it("lets the owners of groups close first, in their own order, and does not wait for ever", async () => {
    const { runtime, pass } = bench();
    const order: string[] = [];
    const group = runtime.group("node 1", {
      beforeClose: async () => {
        order.push("owner");
        await group.close();
      },
    });
    group
      .spawn(untilAborted, { name: "watch", onClose: "cancel" })
      .join()
      .catch(() => order.push("task"));
    runtime.group("stuck", { beforeClose: never });
    const closed = runtime.close({ deadlineMs: 1_000 });
    await pass(1_000);
    expect(await closed).toEqual({ abandoned: [] });
    expect(order).toEqual(["owner", "task"]);
  });
});

describe("a group", () => {
  it("ends its own tasks and timers, and those of no other", async () => {
    const { runtime, pass } = bench();
    const [first, second] = [runtime.group("first"), runtime.group("second")];
    const fired: string[] = [];
    for (const group of [first, second]) group.scheduler.setTimer(500, () => fired.push(group.name));
    const tasks = [first, second].map((group) => group.spawn(untilAborted, { onClose: "cancel" }));
    expect(runtime.tasks()).toHaveLength(2);
    await first.close();
    expect(tasks.map(({ status }) => status)).toEqual(["cancelled", "running"]);
    await pass(600);
    expect(fired).toEqual(["second"]);
    first.scheduler.setTimer(1, () => fired.push("after the close"));
    await pass(100);
    expect(fired).toEqual(["second"]);
    expect(() => first.spawn(never)).toThrow(expect.objectContaining({ code: "OCTOPII_RUNTIME_CLOSED" }));
  });
});

describe("the limits of a runtime", () => {
  it("refuses tasks over maxTasks, in all groups together", async () => {
    const { runtime } = bench({ maxTasks: 2 });
    const group = runtime.group("other");
    const [task] = [runtime.spawn(untilAborted), group.spawn(never)];
    const full = expect.objectContaining({ code: "OCTOPII_RUNTIME_TASKS_FULL", outcome: "failed" });
    expect(() => runtime.spawn(never)).toThrow(full);
    expect(() => group.spawn(never)).toThrow(full);
    task.cancel();
    await caught(task.join());
    expect(group.spawn(never).status).toBe("running");
  });

  it("names all that is wrong with its options at once", () => {
    const wrong = { workers: -1, maxTasks: 0, onError: "panic", threads: 4 } as never;
    expect(() => createRuntime(wrong)).toThrow(/threads is not an option; workers must be .* not -1; maxTasks .*; onError must be one of/);
    try {
      createRuntime(wrong);
    } catch (error) {
      expect(isRuntimeError(error, "OCTOPII_RUNTIME_OPTIONS_INVALID")).toBe(true);
    }
  });

  it("takes only functions and known policies", () => {
    const { runtime } = bench();
    expect(() => runtime.spawn("work" as never)).toThrow(TypeError);
    expect(() => runtime.spawn(never, { onError: "panic" as never })).toThrow(/onError must be one of report, ignore, close-runtime/);
  });
});
