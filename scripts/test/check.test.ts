import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prune } from "../build/prune.js";
import { inspectContents } from "../check/contents.js";
import { type Step, schedule } from "../check/schedule.js";
import { checkSteps } from "../check/steps.js";
import { failure, run } from "../lib/run.js";
import { readTarball } from "../lib/tarball.js";
import { parseTally } from "../lib/verdict.js";
import { builtEntries, type Manifest, sourceOf } from "../lib/workspace.js";

describe("schedule", () => {
  const step = (name: string, ...after: string[]): Step => ({ name, command: "", args: [], after });

  /** Runs steps that end when told, and keeps a diary. */
  function rehearsal(steps: readonly Step[], width: number) {
    const ends = new Map<string, () => void>();
    const running = new Set<string>();
    const results = schedule(steps, width, ({ name }) => {
      running.add(name);
      return new Promise<string>((resolve) => {
        ends.set(name, () => {
          running.delete(name);
          resolve(name);
        });
      });
    });
    const end = async (name: string) => {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { running, results, end };
  }

  it("runs at most so many at once, in order", async () => {
    const { running, results, end } = rehearsal([step("a"), step("b"), step("c")], 2);
    expect([...running]).toEqual(["a", "b"]);
    await end("b");
    expect([...running]).toEqual(["a", "c"]);
    await end("c");
    await end("a");
    expect(await results).toEqual(["a", "b", "c"]);
  });

  it("starts a step only after those whose files it reads, and others in its place", async () => {
    const { running, results, end } = rehearsal([step("a"), step("b", "a"), step("c")], 2);
    expect([...running]).toEqual(["a", "c"]);
    await end("c");
    expect([...running]).toEqual(["a"]);
    await end("a");
    expect([...running]).toEqual(["b"]);
    await end("b");
    expect(await results).toEqual(["a", "b", "c"]);
  });

  it("refuses steps that wait for each other", async () => {
    await expect(schedule([step("a", "b"), step("b", "a")], 2, async () => 1)).rejects.toThrow("wait for each other: a, b");
  });

  it("is given steps of distinct names that wait only for steps that exist", () => {
    const names = checkSteps.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { after } of checkSteps) for (const name of after) expect(names).toContain(name);
  });
});

describe("run", () => {
  it("keeps what a command prints, and how it ended", async () => {
    const args = ["-e", `console.log("out"); console.error("err"); process.exit(3)`];
    const finished = await run(process.execPath, args, { output: "capture", timeLimitMs: 30_000 });
    expect(finished.output.split("\n").sort()).toEqual(["", "err", "out"]);
    expect(failure(finished)).toBe("exit code 3");
  });

  it("kills what runs over its limit, with all that it started", async () => {
    const grandchild = `require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" })`;
    const finished = await run(process.execPath, ["-e", grandchild], { output: "capture", timeLimitMs: 300 });
    expect(finished.timedOut).toBe(true);
    expect(failure(finished)).toBe("ran over its time limit and was killed");
    expect(finished.elapsedMs).toBeLessThan(5_000);
  });

  it("says so when there is no such command", async () => {
    const finished = await run("/nowhere/at-all", [], { output: "capture", timeLimitMs: 1_000 });
    expect(failure(finished)).toBe("could not be started");
    expect(finished.output).toContain("/nowhere/at-all");
  });
});

describe("a tally", () => {
  it.each([
    [`{ "passed": 3, "failed": 0, "more": 1 }`, { passed: 3, failed: 0, failures: [] }],
    [`{ "passed": 0, "failed": 2, "failures": ["a", { "name": "b" }] }`, { passed: 0, failed: 2, failures: ["a", "b"] }],
    [`{ "passed": -1, "failed": 0 }`, null],
    [`{ "passed": "3", "failed": 0 }`, null],
    [`{ "passed": 3 }`, null],
    ["null", null],
    ["not JSON", null],
  ])("of %s", (text, tally) => {
    expect(parseTally(text)).toEqual(tally);
  });
});

const manifest: Manifest = {
  name: "@octopii/sample",
  version: "1.0.0",
  exports: {
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./conformance": { types: "./dist/conformance/index.d.ts", default: "./dist/conformance/index.js" },
    "./package.json": "./package.json",
  },
  bin: { sample: "./dist/main.js" },
  dependencies: { "xxhash-wasm": "1.1.0", "@octopii/interfaces": "^1.0.0" },
};

describe("entries", () => {
  it("are what exports and bin lead to, and each has its source", () => {
    expect(builtEntries(manifest).map(({ specifier, file }) => [specifier, sourceOf(file)])).toEqual([
      ["@octopii/sample", "src/index.ts"],
      ["@octopii/sample/conformance", "src/conformance/index.ts"],
      ["sample", "src/main.ts"],
    ]);
  });
});

describe("the contents of a tarball", () => {
  const good: Record<string, string> = {
    "package.json": JSON.stringify(manifest),
    "README.md": "# Sample\n",
    LICENSE: "…",
    "src/index.ts": "export {};\n",
    "dist/index.js": `import { a } from "./chunk-A.js";\nimport x from "xxhash-wasm";\nimport { createHash } from "node:crypto";\n`,
    "dist/chunk-A.js": "export const a = 1;\n",
    "dist/index.d.ts": `export type { A } from "./types.js";\nexport type { B } from "@octopii/interfaces";\n`,
    "dist/types.d.ts": "export type A = 1;\n",
    "dist/conformance/index.js": "export {};\n",
    "dist/conformance/index.d.ts": "export {};\n",
    "dist/main.js": "#!/usr/bin/env node\n",
  };
  const problems = (changes: Record<string, string | null>) => {
    const files = Object.entries({ ...good, ...changes }).filter((entry): entry is [string, string] => entry[1] !== null);
    return inspectContents(new Map(files.map(([path, text]) => [path, Buffer.from(text)])));
  };

  it("can be right", () => {
    expect(problems({})).toEqual([]);
  });

  it.each<[Record<string, string | null>, string]>([
    [{ LICENSE: null }, "LICENSE is missing"],
    [{ "README.md": null }, "README.md is missing"],
    [{ "dist/conformance/index.d.ts": null }, "dist/conformance/index.d.ts is missing"],
    [{ "dist/main.js": null }, "dist/main.js is missing"],
    [{ "dist/.tsbuildinfo": "{}" }, "dist/.tsbuildinfo has no place in a package"],
    [{ "test/a.test.ts": "" }, "test/a.test.ts has no place in a package"],
    [{ "dist/chunk-A.js": null }, "dist/index.js imports ./chunk-A.js, which the package does not hold"],
    [{ "dist/types.d.ts": null }, "dist/index.d.ts imports ./types.js, which the package does not hold"],
    [{ "dist/main.js": `import "@octopii/system";` }, "dist/main.js imports @octopii/system, which package.json does not depend on"],
    [{ "dist/main.js": `import("cbor-x/decode");` }, "dist/main.js imports cbor-x/decode, which package.json does not depend on"],
    [
      { "dist/types.d.ts": `export type A = import("@octopii/system").B;` },
      "dist/types.d.ts imports @octopii/system, which package.json does not depend on",
    ],
    [{ "dist/main.js": `import "fs";` }, "dist/main.js imports fs: write node:fs"],
    [
      { "package.json": JSON.stringify({ ...manifest, peerDependencies: { lmdb: "catalog:" } }) },
      "the packed package.json still says catalog: of lmdb",
    ],
  ])("can be wrong: %j", (changes, problem) => {
    expect(problems(changes)).toEqual([problem]);
  });
});

describe("readTarball", () => {
  /** A tar entry, as npm's tarballs have them. */
  function entry(path: string, text: string, type = "0"): Buffer {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write(text.length.toString(8).padStart(11, "0"), 124);
    header.write(type, 156);
    header.write("ustar", 257);
    return Buffer.concat([header, Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)]);
  }

  it("gives files by their path", () => {
    const files = readTarball(
      gzipSync(Buffer.concat([entry("package/a.js", "x".repeat(600)), entry("package/d/b", ""), Buffer.alloc(1024)])),
    );
    expect([...files].map(([path, bytes]) => [path, bytes.length])).toEqual([
      ["a.js", 600],
      ["d/b", 0],
    ]);
  });

  it("refuses what it does not know, and what is cut off", () => {
    expect(() => readTarball(gzipSync(entry("package/a", "x", "5")))).toThrow("only files are expected");
    expect(() => readTarball(gzipSync(entry("package/a", "x".repeat(600)).subarray(0, 1024)))).toThrow("cut off");
  });
});

describe("prune", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "octopii-prune-"));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("removes what no build of today's sources makes, and nothing else", () => {
    const kept = {
      "src/index.ts": "",
      "src/inner/deep.ts": "",
      "dist/index.js": `import "./chunk-A.js";\nexport const load = () => import("./lazy.js");\n`,
      "dist/index.js.map": "{}",
      "dist/chunk-A.js": `import "./chunk-B.js";`,
      "dist/chunk-B.js": `import "./chunk-A.js";`,
      "dist/lazy.js": "",
      "dist/main.js": "",
      "dist/conformance/index.js": `import "../chunk-A.js";`,
      "dist/index.d.ts": "",
      "dist/inner/deep.d.ts.map": "",
      "dist/.tsbuildinfo": "{}",
    };
    const stale = ["dist/chunk-OLD.js", "dist/chunk-OLD.js.map", "dist/gone.d.ts", "dist/inner/gone.d.ts.map"];
    for (const [path, text] of [...Object.entries(kept), ...stale.map((path): [string, string] => [path, ""])]) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    expect(prune({ folder: "sample", directory, manifest }).sort()).toEqual([...stale].sort());
    expect(Object.keys(kept).filter((path) => !existsSync(join(directory, path)))).toEqual([]);
    expect(prune({ folder: "sample", directory, manifest })).toEqual([]);
  });
});
