import { createRuntime, defineWorkerTask, isRuntimeError } from "@octopii/core/runtime";

const primes = new URL("./primes.ts", import.meta.url);
const countPrimes = defineWorkerTask<typeof import("./primes.js").countPrimes>(primes, "countPrimes");
const spin = defineWorkerTask<typeof import("./primes.js").spin>(primes, "spin");

const runtime = createRuntime(
  { workers: 2, maxQueuedRuns: 8 },
  { onEvent: (event) => event.type === "taskFailed" && console.log(`${event.task} failed: ${String(event.error)}`) },
);

// A task in the background: a loop, which is cancelled when the runtime closes.
let beats = 0;
const heart = runtime.spawn(
  async ({ sleep }) => {
    for (;;) {
      await sleep(5);
      beats += 1;
    }
  },
  { name: "heart", onClose: "cancel" },
);

// CPU work on other threads: four pieces on two workers, while this thread goes on.
const step = 200_000;
const pieces = [0, 1, 2, 3].map((i) => runtime.run(countPrimes, { from: i * step, to: (i + 1) * step }));
const counts = await Promise.all(pieces);
console.log(`${counts.reduce((sum, count) => sum + count)} primes below ${4 * step}; the heart went on: ${beats > 0}`);

// A call that takes too long loses its thread, and another takes its place.
const impatient = new AbortController();
setTimeout(() => impatient.abort(new Error("too long")), 100);
await runtime
  .run(spin, undefined, { signal: impatient.signal })
  .catch((error: unknown) => console.log(`the endless call ended: ${String(error)}`));

// What waits is bounded: the eleventh call is refused instead of piling up.
const burst = await Promise.allSettled(Array.from({ length: 11 }, () => runtime.run(countPrimes, { from: 0, to: 1_000 })));
const refused = burst.filter((call) => call.status === "rejected" && isRuntimeError(call.reason, "OCTOPII_RUNTIME_QUEUE_FULL"));
console.log(`${burst.length - refused.length} of ${burst.length} calls taken`);

// A failure is told once, and ends nothing else; whoever joins gets it too.
const fragile = runtime.spawn(() => Promise.reject(new Error("out of ink")), { name: "printer" });
await fragile.join().catch((error: unknown) => console.log(`joined: ${String(error)}`));

// An orderly end: work that is under way is finished, the loop is cancelled, threads are gone.
const lastWork = runtime.spawn(async ({ sleep }) => {
  await sleep(50);
  return "saved";
});
const { abandoned } = await runtime.close({ deadlineMs: 2_000 });
console.log(`last work: ${await lastWork.join()}, heart: ${heart.status}, abandoned: ${abandoned.length}`);
