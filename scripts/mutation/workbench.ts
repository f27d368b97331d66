import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { repositoryRoot } from "../lib/root.js";
import { run, tool } from "../lib/run.js";

/** A deliberate mistake: one piece of a source file of @octopii/raft, and what stands there instead. */
export interface Mutation {
  readonly name: string;
  /** Below `packages/raft/src`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** More of the same file, where two safeguards stand one behind the other. */
  readonly also?: { readonly find: string; readonly replace: string };
  /** The test files that are tried first, by parts of their paths; then all are. */
  readonly tests: readonly string[];
}

/** What vitest's JSON reporter says of a file of tests. */
interface FileReport {
  readonly name: string;
  readonly status: string;
  readonly message?: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages?: readonly string[];
  }[];
}

/** A run of tests. `report` is null if it left none, as when it was killed. */
export interface TestRun {
  readonly report: readonly FileReport[] | null;
  readonly output: string;
  readonly timedOut: boolean;
  readonly elapsedMs: number;
}

/** A copy of what the tests of @octopii/raft need. What is in the working tree is only read. */
export class Workbench {
  readonly #root: string;
  /** A mistake may make a loop endless. Long enough for sound tests; {@link Workbench.expect} knows better. */
  #timeLimitMs = 900_000;

  constructor(root: string) {
    this.#root = root;
    const needed = ["raft", "interfaces", "system", "testing"].map((name) => join("packages", name));
    const copied = ["vitest.config.ts", "package.json", "tsconfig.base.json", ...needed];
    for (const path of copied) this.#copy(path);
    for (const folder of ["", ...readdirSync(join(root, "packages")).map((name) => join("packages", name))]) this.#link(folder);
  }

  #copy(path: string): void {
    const isKept = (from: string): boolean =>
      !from.split(sep).some((part) => part === "node_modules" || part === "dist" || part === ".cache");
    const target = join(this.#root, path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(repositoryRoot, path), target, { recursive: true, filter: (from) => isKept(from.slice(repositoryRoot.length)) });
  }

  #link(folder: string): void {
    const modules = join(repositoryRoot, folder, "node_modules");
    if (existsSync(modules)) symlinkSync(modules, join(this.#root, folder, "node_modules"));
  }

  #path(file: string): string {
    return join(this.#root, "packages/raft/src", file);
  }

  /** Whether all that is to be replaced occurs exactly once. */
  fits({ file, find, also }: Mutation): boolean {
    if (!existsSync(this.#path(file))) return false;
    const text = readFileSync(this.#path(file), "utf8");
    return [find, also?.find ?? find].every((piece) => text.split(piece).length === 2);
  }

  /** Puts the mistake in while `work` runs. */
  async with<Value>({ file, find, replace, also }: Mutation, work: () => Promise<Value>): Promise<Value> {
    const sound = readFileSync(this.#path(file), "utf8");
    const broken = sound.replace(find, () => replace);
    writeFileSync(this.#path(file), also === undefined ? broken : broken.replace(also.find, () => also.replace));
    try {
      return await work();
    } finally {
      writeFileSync(this.#path(file), sound);
    }
  }

  /** All tests take so long when nothing is broken. */
  expect(elapsedMs: number): void {
    this.#timeLimitMs = 60_000 + 5 * elapsedMs;
  }

  /** Runs the raft tests whose paths hold one of `filters`, or all; ends with the first file that fails. */
  async test(filters: readonly string[]): Promise<TestRun> {
    const reportFile = join(this.#root, "report.json");
    rmSync(reportFile, { force: true });
    const paths = filters.length === 0 ? ["packages/raft/test"] : filters.map((filter) => `packages/raft/test/${filter}`);
    const bail = filters.length === 0 ? [] : ["--bail=1"];
    // One process at a time: two benches work side by side.
    const reporting = ["--maxWorkers=1", "--reporter=json", `--outputFile=${reportFile}`];
    const options = { output: "capture", timeLimitMs: this.#timeLimitMs, cwd: this.#root } as const;
    const { output, timedOut, elapsedMs } = await run(tool("vitest"), ["run", ...paths, ...bail, ...reporting], options);
    const text = existsSync(reportFile) ? readFileSync(reportFile, "utf8") : null;
    const report = text === null ? null : (JSON.parse(text) as { testResults: readonly FileReport[] }).testResults;
    return { report: report?.map((file) => ({ ...file, name: this.#relative(file.name) })) ?? null, output, timedOut, elapsedMs };
  }

  #relative(path: string): string {
    const below = join(this.#root, "packages/raft/test") + sep;
    return path.startsWith(below) ? path.slice(below.length) : path;
  }
}

/** Why a file of tests could not be loaded, for the first such; null if all were. */
export function unloadable({ report, output }: TestRun): string | null {
  if (report === null || report.length === 0) return output;
  const broken = report.find(({ status, assertionResults }) => status === "failed" && assertionResults.length === 0);
  return broken === undefined ? null : `${broken.name}: ${broken.message ?? ""}`;
}

/** How much of what a test said is shown. */
const complaintLengthMax = 100;

/**
 * The tests that failed, each with the beginning of what it said. A file that could not even be loaded has none: a mistake that does not compile
 * proves nothing.
 */
export function failedTests({ report }: TestRun): Map<string, string> {
  const failed = new Map<string, string>();
  for (const { name, assertionResults } of report ?? []) {
    for (const { fullName, status, failureMessages } of assertionResults) {
      const complaint = failureMessages?.[0]?.split("\n")[0] ?? "";
      if (status === "failed") failed.set(`${name}: ${fullName}`, complaint.slice(0, complaintLengthMax));
    }
  }
  return failed;
}
