import { createManualTime } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { Watchdog } from "../../src/node/watchdog.js";
import { drain, outcomeOf } from "./group.js";

interface Source extends AsyncIterable<Uint8Array> {
  /** Gives the next chunk, or what stands in its place. */
  give(chunk: Uint8Array | Error | null): void;
  returned: number;
}

/** A source whose chunks come when the test says so. */
function source(): Source {
  const waiting: { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: unknown) => void }[] = [];
  const made: Source = {
    returned: 0,
    give: (chunk) => {
      const { resolve, reject } = waiting.shift() ?? {};
      if (chunk instanceof Error) reject?.(chunk);
      else resolve?.(chunk === null ? { done: true, value: undefined } : { done: false, value: chunk });
    },
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
      return: async () => {
        made.returned++;
        return { done: true, value: undefined };
      },
    }),
  };
  return made;
}

const chunk = Uint8Array.of(1);

function lab() {
  const time = createManualTime();
  const parent = new AbortController();
  const watchdog = new Watchdog(time.scheduler, 100, parent.signal);
  const from = source();
  const iterator = watchdog.watch(from);
  const pass = async (ms: number): Promise<void> => {
    time.advance(ms);
    await drain();
  };
  return { time, parent, watchdog, from, iterator, pass };
}

describe("the watchdog", () => {
  it("lets pass what moves, however long it takes", async () => {
    const { from, iterator, pass, watchdog, time } = lab();
    for (let at = 0; at < 5; at++) {
      const next = iterator.next();
      await pass(99);
      from.give(chunk);
      expect(await next).toEqual({ done: false, value: chunk });
    }
    const last = iterator.next();
    await drain();
    from.give(null);
    expect((await last).done).toBe(true);
    expect(from.returned).toBe(0);
    watchdog.end();
    expect(time.pending).toBe(0);
  });

  it("ends the wait for a source that stalls, and lets go of it", async () => {
    const { from, iterator, pass, watchdog } = lab();
    const stalled = outcomeOf(iterator.next());
    await pass(100);
    expect(await stalled).toMatchObject({ message: "Nothing moved for 100 ms." });
    expect(watchdog.signal.aborted).toBe(true);
    expect(from.returned).toBe(1);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("counts it as a stall when nobody takes what is there", async () => {
    const { from, iterator, pass, watchdog } = lab();
    const next = iterator.next();
    await drain();
    from.give(chunk);
    await next;
    await pass(99);
    expect(watchdog.signal.aborted).toBe(false);
    await pass(1);
    expect(watchdog.signal.aborted).toBe(true);
    expect(await outcomeOf(iterator.next())).toMatchObject({ message: "Nothing moved for 100 ms." });
    expect(from.returned).toBe(1);
  });

  it("ends with its parent, at once, also where that had ended before", async () => {
    const { from, iterator, parent, watchdog, time } = lab();
    const ended = outcomeOf(iterator.next());
    await drain();
    parent.abort("closed");
    expect(await ended).toBe("closed");
    expect(from.returned).toBe(1);
    watchdog.end();
    const late = new Watchdog(time.scheduler, 100, parent.signal);
    expect(await outcomeOf(late.watch(source()).next())).toBe("closed");
    expect(time.pending).toBe(0);
  });

  it("lets go of its parent, its timer and the source at the end", async () => {
    const { parent, watchdog, time, from, iterator } = lab();
    const waiting = outcomeOf(iterator.next());
    await drain();
    watchdog.end();
    parent.abort("closed");
    expect(watchdog.signal.reason).toMatchObject({ message: "The transfer is over." });
    expect(time.pending).toBe(0);
    await waiting;
    expect(from.returned).toBe(1);
  });

  // Vitest fails a run in which a promise is rejected and nobody sees it; a process would end.
  it("answers for the rejection of a source that breaks only after it was given up", async () => {
    for (const when of ["waits", "is busy"] as const) {
      const { from, iterator, pass } = lab();
      const first = iterator.next();
      await drain();
      from.give(chunk);
      await first;
      const second = when === "waits" ? outcomeOf(iterator.next()) : null;
      await pass(100);
      const third = second ?? outcomeOf(iterator.next());
      await drain();
      from.give(new Error("the connection broke"));
      expect(await third).toMatchObject({ message: "Nothing moved for 100 ms." });
      await drain();
    }
  });

  it("lets go of the source when the consumer gives up", async () => {
    const { from, iterator, watchdog } = lab();
    const next = iterator.next();
    await drain();
    from.give(chunk);
    await next;
    await iterator.return();
    expect(from.returned).toBe(1);
    watchdog.end();
  });
});
