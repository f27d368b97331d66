import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { repositoryRoot } from "../lib/root.js";
import { type Finished, run } from "../lib/run.js";
import { parseTally } from "../lib/verdict.js";
import { judge } from "../suite/run-part.js";
import { type Part, suiteParts, vitest } from "../suite/steps.js";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "octopii-suite-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("the failures of a tally", () => {
  it("are named, by seed where they are of simulated runs", () => {
    const failures = [
      "a test",
      { name: "a case", message: "no" },
      { seed: 7, oracle: "handles", message: "handles: too many" },
      { other: 1 },
    ];
    const tally = parseTally(JSON.stringify({ passed: 1, failed: 4, failures }));
    expect(tally?.failures).toEqual(["a test", "a case", "seed 7: handles: too many", '{"other":1}']);
  });
});

describe("the judgement of a part", () => {
  const part = (counts: boolean): Part => ({ name: "part", command: () => ["", []], counts, timeLimitMs: 1 });
  const ended = (code: number | null, signal: string | null = null, timedOut = false): Finished => ({
    code,
    signal,
    timedOut,
    output: "",
    elapsedMs: 1,
  });
  const counting = part(true);

  it("takes the counts that the part left", () => {
    expect(judge(counting, ended(0), `{"passed":3,"failed":0}`)).toMatchObject({ passed: 3, failed: 0, problem: null });
    expect(judge(counting, ended(1), `{"passed":3,"failed":2}`)).toMatchObject({ passed: 3, failed: 2, problem: null });
  });

  it("does not believe an exit code of 0 over counts", () => {
    expect(judge(counting, ended(0), `{"passed":3,"failed":2}`).failed).toBe(2);
  });

  it("counts a crash as a failure", () => {
    expect(judge(counting, ended(1), null)).toMatchObject({ passed: 0, failed: 1, problem: "exit code 1" });
    expect(judge(counting, ended(1), `{"passed":3,"failed":0}`)).toMatchObject({ passed: 3, failed: 1, problem: "exit code 1" });
    expect(judge(counting, ended(null, "SIGSEGV"), `{"passed":3,"failed":0}`).failed).toBe(1);
    expect(judge(counting, ended(null, "SIGTERM", true), null).problem).toBe("ran over its time limit and was killed");
  });

  it("counts silence as a failure", () => {
    expect(judge(counting, ended(0), null)).toMatchObject({ passed: 0, failed: 1, problem: "left no counts behind" });
    expect(judge(counting, ended(0), "garbage").failed).toBe(1);
    expect(judge(counting, ended(0), `{"passed":0,"failed":0}`)).toMatchObject({ passed: 0, failed: 1, problem: "ran nothing" });
  });

  it("counts a part without counts as one thing", () => {
    expect(judge(part(false), ended(0), null)).toMatchObject({ passed: 1, failed: 0, problem: null });
    expect(judge(part(false), ended(2), null)).toMatchObject({ passed: 0, failed: 1, problem: "exit code 2" });
  });
});

describe("a run of vitest", () => {
  const tallyOf = async (...sources: string[]) => {
    for (const [index, source] of sources.entries())
      writeFileSync(join(directory, `${index}.test.mjs`), `import { expect, it } from "vitest";\n${source}`);
    writeFileSync(join(directory, "vitest.config.mjs"), `export default { test: { include: ["*.test.mjs"], pool: "threads" } };`);
    symlinkSync(join(repositoryRoot, "node_modules"), join(directory, "node_modules"));
    const file = join(directory, "counts.json");
    const [command, args] = vitest(file);
    await run(command, args, { output: "capture", timeLimitMs: 20_000, cwd: directory });
    return parseTally(readFileSync(file, "utf8"));
  };

  it("is counted by test, and its failures are named", async () => {
    const sources = [`it("a", () => {}); it("b", () => {});`, `it("c", () => {}); it("d", () => expect(1).toBe(2));`];
    expect(await tallyOf(...sources)).toEqual({
      passed: 3,
      failed: 1,
      failures: [expect.stringMatching(/^1\.test\.mjs: d: expected 1 to be 2/)],
    });
  });

  it("fails by a file that cannot be loaded, and by a rejection that nobody handles", async () => {
    const sources = [`it("a", () => {});`, `throw new Error("no such thing");`, `it("b", () => void Promise.reject(new Error("stray")));`];
    expect(await tallyOf(...sources)).toEqual({
      passed: 2,
      failed: 2,
      failures: ["1.test.mjs: no such thing", "outside of any test: stray"],
    });
  });
});

describe("the parts of pnpm test", () => {
  const names = (root: string) => suiteParts(root, 0).map(({ name }) => name);

  it("have the conformance data of a neighbour when it is there", () => {
    const root = join(directory, "project");
    mkdirSync(root);
    expect(names(root)).toEqual(["build", "tests", "check", "sim"]);
    for (const name of ["etcd-raft", "porcupine"]) mkdirSync(join(directory, "shared/conformance", name), { recursive: true });
    expect(names(root)).toEqual(["build", "tests", "check", "conformance etcd-raft", "conformance porcupine", "sim"]);
  });

  it("simulate seeds that begin at the time of day", () => {
    const sim = suiteParts(directory, 1_234).find(({ name }) => name === "sim");
    const [, args = []] = sim?.command("counts.json") ?? [];
    expect(args.slice(args.indexOf("--start"))).toEqual(["--start", "1234", "--json", "counts.json"]);
  });
});

describe(".ci/run", () => {
  /** Runs it with an `npx` that prints `lines` and ends with `code`, and nothing else on the path but the shell's own tools. */
  function ci(lines: string, code: number): { last: string | undefined; status: number | null; npx: string } {
    const bin = join(directory, "bin");
    mkdirSync(join(directory, ".ci"), { recursive: true });
    mkdirSync(bin);
    cpSync(join(repositoryRoot, ".ci/run"), join(directory, ".ci/run"));
    writeFileSync(join(bin, "npx"), `#!/bin/sh\necho "$*" > "${directory}/args"\nprintf '${lines}'\nexit ${code}\n`);
    chmodSync(join(bin, "npx"), 0o755);
    for (const name of ["bash", "sh", "dirname", "mktemp", "rm", "tee", "grep", "tail"]) {
      const path = spawnSync("which", [name], { encoding: "utf8" }).stdout.trim();
      symlinkSync(path, join(bin, name));
    }
    const { stdout, status } = spawnSync(join(directory, ".ci/run"), { encoding: "utf8", env: { PATH: bin, TMPDIR: directory } });
    const args = spawnSync("cat", [join(directory, "args")], { encoding: "utf8" }).stdout.trim();
    return { last: stdout.trimEnd().split("\n").at(-1), status, npx: args };
  }

  it("runs the tests by a pnpm that need not be installed, and ends with their verdict", () => {
    expect(ci("noise\\n12 passed, 0 failed\\n", 0)).toEqual({ last: "12 passed, 0 failed", status: 0, npx: "-y pnpm@12 test" });
  });

  it("ends with the verdict even when pnpm has the last word", () => {
    expect(ci("11 passed, 1 failed\\n[ELIFECYCLE] Command failed\\n", 1)).toMatchObject({ last: "11 passed, 1 failed", status: 1 });
  });

  it("is a failure when there is no verdict, whatever the exit code", () => {
    expect(ci("cannot install\\n", 1)).toMatchObject({ last: "0 passed, 1 failed", status: 1 });
    rmSync(join(directory, "bin"), { recursive: true });
    expect(ci("", 0)).toMatchObject({ last: "0 passed, 1 failed", status: 1 });
  });
});
