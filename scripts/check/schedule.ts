/** A step of `pnpm check`: a command that is good when it ends with 0. */
export interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Steps whose files this one reads. It starts when they have ended, well or not. */
  readonly after: readonly string[];
}

/**
 * Runs steps side by side, at most `width` at once, in the order of the list as far as `after` allows.
 *
 * @returns what `runStep` gave for each, in the order of the list.
 */
export async function schedule<Result>(steps: readonly Step[], width: number, runStep: (step: Step) => Promise<Result>): Promise<Result[]> {
  const results = new Map<string, Result>();
  const running = new Map<string, Promise<void>>();
  const waiting = new Set(steps);
  const ready = () => [...waiting].find(({ after }) => after.every((name) => results.has(name)));
  const start = (step: Step) => {
    waiting.delete(step);
    const done = runStep(step).then((result) => {
      results.set(step.name, result);
      running.delete(step.name);
    });
    running.set(step.name, done);
  };
  while (waiting.size + running.size > 0) {
    for (let next = ready(); next !== undefined && running.size < width; next = ready()) start(next);
    if (running.size === 0) throw new Error(`these steps wait for each other: ${[...waiting].map(({ name }) => name).join(", ")}`);
    await Promise.race(running.values());
  }
  return steps.flatMap(({ name }) => results.get(name) ?? []);
}
