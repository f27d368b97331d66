import { failedTests, type Mutation, type TestRun, type Workbench } from "./workbench.js";

/** What became of a mutation. */
export interface Fate {
  readonly mutation: Mutation;
  /** The first test that failed because of it, and what it said; null if none did. */
  readonly caughtBy: { readonly test: string; readonly complaint: string } | null;
  readonly elapsedMs: number;
}

/**
 * Tries all mutations, one at a time on each bench.
 * @param known - tests that fail anyway.
 * @returns in the order of the list.
 */
export async function runAll(
  benches: readonly Workbench[],
  mutations: readonly Mutation[],
  known: ReadonlySet<string>,
  tried: (fate: Fate) => void,
): Promise<Fate[]> {
  const fates = new Map<Mutation, Fate>();
  const waiting = [...mutations];
  const work = async (bench: Workbench): Promise<void> => {
    for (let mutation = waiting.shift(); mutation !== undefined; mutation = waiting.shift()) {
      const fate = await tryOne(bench, mutation, known);
      fates.set(mutation, fate);
      tried(fate);
    }
  };
  await Promise.all(benches.map(work));
  return mutations.flatMap((mutation) => fates.get(mutation) ?? []);
}

async function tryOne(bench: Workbench, mutation: Mutation, known: ReadonlySet<string>): Promise<Fate> {
  const started = performance.now();
  const caughtBy = await bench.with(mutation, async () => {
    return caught(await bench.test(mutation.tests), known) ?? caught(await bench.test([]), known);
  });
  return { mutation, caughtBy, elapsedMs: performance.now() - started };
}

function caught(run: TestRun, known: ReadonlySet<string>): Fate["caughtBy"] {
  for (const [test, complaint] of failedTests(run)) if (!known.has(test)) return { test, complaint };
  return run.timedOut ? { test: "all", complaint: "they came to no end" } : null;
}
