import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { repositoryRoot } from "../lib/root.js";
import { bans, exceptions } from "../tidy/bans.js";
import { inspectDeterminism } from "../tidy/determinism.js";
import { catalogNames, inspectDependencies, inspectLinks } from "../tidy/documents.js";
import { describe as line } from "../tidy/finding.js";
import { inspectRepository, inspectSource } from "../tidy/inspect.js";
import { inspectPackages } from "../tidy/packages.js";
import { inspectProse } from "../tidy/shape.js";

const library = "packages/raft/src/seed.ts";

/** The bans that a text breaks, as a file of a library. */
function broken(text: string, path = library): string[] {
  return inspectDeterminism(new Map([[path, text]])).map(({ rule }) => rule.replace("ban/", ""));
}

/** Violations of each ban. */
const violations: Record<string, readonly string[]> = {
  date: [
    "export const t = Date.now();",
    "export const t = new Date();",
    "const D = { Date }; export { D };",
    "export class E extends Date {}",
  ],
  performance: [
    "export const t = performance.now();",
    `import { performance } from "node:perf_hooks"; export const t = performance.now();`,
  ],
  "math-random": ["export const x = Math.random();", `export const x = Math["random"]();`, "const { random } = Math; export { random };"],
  timers: [
    "setTimeout(() => {}, 1);",
    "setInterval(() => {}, 1);",
    `import { setTimeout as sleep } from "node:timers/promises"; await sleep(1);`,
    `import { setTimeout } from "timers"; setTimeout(() => {}, 1);`,
  ],
  intl: ["export const now = new Intl.DateTimeFormat().format();"],
  "event-loop": [
    "setImmediate(() => {});",
    "queueMicrotask(() => {});",
    "export const c = new MessageChannel();",
    "export const b = new BroadcastChannel('b');",
  ],
  "abort-timeout": ["export const s = AbortSignal.timeout(5);", "const { timeout } = AbortSignal; export { timeout };"],
  process: [
    "process.nextTick(() => {});",
    "export const home = process.env.HOME;",
    "export const t = process.hrtime.bigint();",
    `export const fs = process.getBuiltinModule("fs");`,
    "const { nextTick } = process; export { nextTick };",
    `import process from "node:process"; export const pid = process.pid;`,
  ],
  "global-object": ["globalThis.setTimeout(() => {}, 1);", `global["Date"].now();`],
  "crypto-random": [
    `import { randomBytes } from "node:crypto"; export const b = randomBytes(4);`,
    `import { randomUUID as id } from "crypto"; export const i = id();`,
    `import * as c from "node:crypto"; export const b = c.randomBytes(4);`,
    `import c from "node:crypto"; export const b = c.randomInt(4);`,
    `export { randomInt } from "node:crypto";`,
    `export const c = await import("node:crypto");`,
  ],
  "crypto-asynchronous": [`import { scrypt } from "node:crypto"; scrypt("a", "b", 1, () => {});`],
  webcrypto: [
    "export const b = crypto.getRandomValues(new Uint8Array(4));",
    "export const u = crypto.randomUUID();",
    `export const d = crypto.subtle.digest("SHA-256", new Uint8Array(4));`,
    `import { webcrypto } from "node:crypto"; export const s = webcrypto.subtle;`,
  ],
  zlib: [
    `import { deflate } from "node:zlib"; deflate("a", () => {});`,
    `import { createGzip } from "zlib"; export const g = createGzip();`,
    `import zlib from "node:zlib"; export const g = zlib.gzipSync("a");`,
    `export const s = new CompressionStream("gzip");`,
  ],
  files: [
    `import { readFileSync } from "node:fs"; readFileSync("a");`,
    `import { readFile } from "fs/promises"; await readFile("a");`,
    `import "node:fs";`,
    `export const load = () => import("node:fs");`,
    `export * from "node:fs";`,
  ],
  network: [
    ...["dgram", "net", "tls", "http", "https", "http2", "dns"].map((name) => `import * as m from "node:${name}"; export { m };`),
    `export const r = fetch("http://localhost");`,
  ],
  console: [
    `console.log("x");`,
    `import { Console } from "node:console"; export const c = Console;`,
    `const log = console; export { log };`,
  ],
  machine: [`import { hostname } from "node:os"; hostname();`, `import { createRequire } from "node:module"; createRequire("");`],
  "garbage-collector": ["export const r = new WeakRef({});", "export const r = new FinalizationRegistry(() => {});"],
  blocking: ["Atomics.wait(new Int32Array(1), 0, 0);"],
  require: [`export const fs = require("fs");`],
};

describe("the ban on clocks, timers, randomness, files and sockets in library code", () => {
  it("has a seeded violation of every ban", () => {
    expect(Object.keys(violations).sort()).toEqual(bans.map(({ id }) => id).sort());
  });

  describe.each(Object.entries(violations))("%s", (ban, texts) => {
    it.each(texts)("refuses %s", (text) => {
      expect(broken(text)).toContain(ban);
    });
  });

  it("bites at every global, module and name that it lists", () => {
    for (const ban of bans) {
      for (const name of ban.globals ?? []) expect(broken(`export const x = ${name};`), name).toEqual([ban.id]);
      for (const name of ban.modules ?? []) expect(broken(`import * as m from "node:${name}"; export { m };`), name).toEqual([ban.id]);
      for (const [module, rule] of Object.entries(ban.names ?? {})) {
        const names = "refused" in rule ? rule.refused : ["deflate"];
        for (const name of names) expect(broken(`import { ${name} } from "node:${module}"; ${name};`), name).toEqual([ban.id]);
      }
    }
  });

  it("names the place and what to use instead", () => {
    const [finding] = inspectDeterminism(new Map([[library, `// One line above.\nexport const t = Date.now();\n`]]));
    expect(finding && line(finding)).toBe(
      "packages/raft/src/seed.ts:2 ban/date: Date is not for library code; use Clock.wallTime() of @octopii/interfaces",
    );
  });

  it.each([
    [
      "comments and strings",
      `// Date.now() and setTimeout(f)\n/** Math.random() */\nexport const s = "Date.now()" + \`process.nextTick\`;`,
    ],
    ["a regular expression", "export const r = /Date|setTimeout|console/;"],
    [
      "types",
      "export interface A { at: Date; p: Performance }\nexport type T = typeof setTimeout;\nexport function f(d: Date): void { d.getTime(); }",
    ],
    ["type imports", `import type { Socket } from "node:net";\nimport { type Stats } from "node:fs";\nexport type S = Socket | Stats;`],
    ["members of other objects", "declare const o: { setTimeout(): void; Date: number }; o.setTimeout(); export const d = o.Date;"],
    [
      "keys of one's own",
      "export const o = { Date: 1, console: 2, setTimeout() {} };\nexport class A { performance = 1; fetch(): void {} }",
    ],
    ["names of one's own", "export function f(performance: { now(): number }): number { return performance.now(); }"],
    ["names that other files export", `import { setTimeout } from "./timers.js"; setTimeout();`],
    ["harmless members", "export const m = Math.max(1, 2); export const p = process.platform; export const a = AbortSignal.any([]);"],
    ["hashing", `import { createHash, timingSafeEqual } from "node:crypto"; createHash("sha256"); timingSafeEqual;`],
    ["synchronous compression", `import { deflateRawSync, constants } from "node:zlib"; deflateRawSync("a", constants);`],
    ["instanceof", "export const is = (x: unknown): boolean => x instanceof AbortSignal;"],
  ])("lets %s pass", (_name, text) => {
    expect(broken(text)).toEqual([]);
  });

  it("still sees the global where another scope of the same file has a name of its own", () => {
    expect(broken("export function f(console: number): number { return console; }\nconsole.log(1);")).toEqual(["console"]);
  });

  it.each([
    "packages/walrus/src/adapters/node-file.ts",
    "packages/system/src/clock.ts",
    "packages/cli/src/main.ts",
    "packages/raft/test/a.test.ts",
  ])("does not hold in %s", (path) => expect(broken("Date.now();", path)).toEqual([]));

  it("holds in a file that is only called adapters", () => {
    expect(broken("Date.now();", "packages/raft/src/adapters.ts")).toEqual(["date"]);
  });

  it("excuses a package from the ban it names, and from no other", () => {
    const [first] = exceptions;
    expect(first?.reason.length).toBeGreaterThan(20);
    const path = "packages/certificates/src/seed.ts";
    expect(broken(`crypto.subtle.digest("SHA-256", new Uint8Array(1)); setTimeout(() => {}, 1);`, path)).toEqual(["timers"]);
  });
});

describe("the shape of a file", () => {
  const rules = (text: string, path = library) => inspectSource(path, text).map(({ rule }) => rule);
  const body = (lines: number) => `export function long(): void {\n${"  void 0;\n".repeat(lines - 2)}}\n`;

  it("is within 500 lines", () => {
    expect(rules("export {};\n".repeat(500))).toEqual([]);
    expect(rules("export {};\n".repeat(501))).toEqual(["file-length"]);
  });

  it("has functions within 70 lines, whatever their kind", () => {
    expect(rules(body(70))).toEqual([]);
    expect(rules(body(71))).toEqual(["function-length"]);
    expect(rules(body(71).replace("function long(): void", "const long = (): void =>"))).toEqual(["function-length"]);
    expect(rules(`export class A {\n${body(71).replace("export function ", "")}}\n`)).toEqual(["function-length"]);
    expect(rules(body(71), "packages/raft/test/a.test.ts")).toEqual([]);
  });

  // The marks are put together here, since this file is held against the same rule.
  const marks = [`TO${"DO"}`, `FIX${"ME"}`, `X${"XX"}`];
  it.each(marks)("has no %s", (mark) => {
    expect(rules(`// ${mark}: later\nexport {};`)).toEqual(["unfinished"]);
    expect(rules(`export {};\n/* a\n * ${mark} */`)).toEqual(["unfinished"]);
    expect(rules(`export const f = (a: number /* ${mark} */): number => a;`)).toEqual(["unfinished"]);
    expect(rules(`export const s = "${mark}";`)).toEqual([]);
    expect(inspectProse("README.md", `a\n${mark} b\n`).map(({ where }) => where)).toEqual(["README.md:2"]);
  });

  it("does not silence the compiler", () => {
    expect(rules(`// @ts-${"ignore"}\nexport {};`)).toEqual(["silenced"]);
  });

  it.each([
    `it.skip("a", () => {});`,
    `describe.only("a", () => {});`,
    `it.concurrent.skip("a", () => {});`,
    `test.only.each([1])("a", () => {});`,
    `it.todo("a");`,
    `xit("a", () => {});`,
    `it("a", { skip: true }, () => {});`,
  ])("lets every test run, unlike %s", (text) => {
    expect(rules(text, "packages/raft/test/a.test.ts")).toEqual(["idle-test"]);
  });

  it("takes no offence at other things called skip", () => {
    expect(rules(`it("a", () => { cursor.skip(1); }); reader.only();`, "packages/raft/test/a.test.ts")).toEqual([]);
  });
});

describe("packages and documents", () => {
  let root = "";
  let known = new Set<string>();

  /** What the packages are blamed for beyond what they were blamed for as they are. */
  const blame = () => inspectPackages(root).filter((finding) => !known.has(line(finding)));

  /** The manifests and configurations of this repository, without its sources. */
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "octopii-tidy-"));
    const shared = ["LICENSE", "tsconfig.json", "tsconfig.workspace.json", "pnpm-workspace.yaml", ".changeset/config.json"];
    for (const file of shared) copy(file);
    for (const folder of readdirSync(join(repositoryRoot, "packages"))) {
      if (!existsSync(join(repositoryRoot, "packages", folder, "package.json"))) continue;
      for (const file of ["package.json", "tsconfig.json", "tsup.config.ts"]) copy(`packages/${folder}/${file}`);
      write(`packages/${folder}/LICENSE`, readFileSync(join(root, "LICENSE"), "utf8"));
      write(`packages/${folder}/README.md`, `# @octopii/${folder}\n`);
      write(`packages/${folder}/src/index.ts`, "export {};\n");
    }
    known = new Set(inspectPackages(root).map(line));
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function copy(path: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(join(repositoryRoot, path), join(root, path));
  }

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  /** Changes a JSON file and tells what the packages are then blamed for. */
  function blameAfter(path: string, change: (value: Record<string, unknown>) => void): string[] {
    const value = JSON.parse(readFileSync(join(root, path), "utf8")) as Record<string, unknown>;
    change(value);
    write(path, JSON.stringify(value));
    return blame().map((finding) => `${finding.where} ${finding.rule}`);
  }

  it.each([
    ["type", "commonjs"],
    ["license", "MIT"],
    ["sideEffects", true],
    ["engines", { node: ">=22" }],
    ["repository", { directory: "packages/walrus" }],
    ["exports", { ".": { default: "./dist/index.js", types: "./dist/index.d.ts" }, "./package.json": "./package.json" }],
    ["exports", { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } }],
    ["files", ["dist"]],
    ["publishConfig", {}],
    ["main", "./dist/index.js"],
    ["name", "raft"],
    ["description", undefined],
    ["dependencies", { "@octopii/system": "workspace:^" }],
  ])("refuses a manifest with %s %j", (field, value) => {
    const blamed = blameAfter("packages/raft/package.json", (manifest) => {
      manifest[field] = value;
    });
    expect(blamed).toContain("packages/raft/package.json manifest");
  });

  it("wants a LICENSE that is the root's, and a README that names the package", () => {
    write("packages/raft/LICENSE", "mine");
    write("packages/walrus/README.md", "# Walrus\n");
    rmSync(join(root, "packages/rpc/README.md"));
    expect(blame().map(({ where }) => where)).toEqual(["packages/raft", "packages/rpc", "packages/walrus"]);
  });

  it("wants a reference for each package that a source imports, and each package in the solution", () => {
    write("packages/raft/src/index.ts", `import type { Walrus } from "@octopii/walrus";\nexport type W = Walrus;\n`);
    expect(blame().map(({ where }) => where)).toEqual(["packages/raft/tsconfig.json"]);
    const blamed = blameAfter("tsconfig.json", (config) => {
      config.references = [];
    });
    expect(blamed.filter((entry) => entry === "tsconfig.json reference").length).toBeGreaterThan(5);
  });

  it("wants every package in the one fixed group", () => {
    const blamed = blameAfter(".changeset/config.json", (config) => {
      config.fixed = [["@octopii/raft"]];
    });
    expect(blamed).toContain(".changeset/config.json release");
  });

  it("wants interfaces to be types alone", () => {
    write("packages/interfaces/src/index.ts", "export interface A { a: 1 }\nexport const code = 1;\n");
    expect(blame().map(line)[0]).toMatch(/^packages\/interfaces\/src\/index\.ts:2 types-only/);
  });

  it("wants a reason for every entry of the catalog, and an entry for every reason", () => {
    const yaml = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
    expect(catalogNames(yaml)).toContain("@biomejs/biome");
    expect(catalogNames(yaml)).toContain("typescript");
    const document = catalogNames(yaml).map((name) => `| \`${name}\` | The reason for it. |\n`);
    write("docs/DEPENDENCIES.md", document.join(""));
    expect(inspectDependencies(root)).toEqual([]);
    write("pnpm-workspace.yaml", yaml.replace("catalog:\n", "catalog:\n  left-pad: 1.0.0\n").replace(/^ {2}typescript: .*\n/m, ""));
    expect(inspectDependencies(root).map(({ message }) => message.split(" ")[0])).toEqual(["left-pad", "typescript"]);
  });

  it.each([
    ["[a](./gone.md)", "does not exist"],
    ['see [a](../outside.md "title")', "leads out of the repository"],
    ["[a]: ./gone.md", "does not exist"],
    ["![a](gone.png)", "does not exist"],
    ["[a](#nowhere)", "names a heading that is not there"],
    ["[a](docs/other.md#nowhere)", "names a heading that is not there"],
    ["[a](/etc/hosts)", "begins at the root of the machine"],
  ])("refuses the link %s", (text, problem) => {
    write("docs/other.md", "# Other\n");
    expect(inspectLinks(root, "README.md", text).map(({ message }) => message)).toEqual([expect.stringContaining(problem)]);
  });

  it("follows the links that lead somewhere", () => {
    write("docs/other.md", "# Other\n\n## A `b()` of c, d\n\n## Twice\n\n## Twice\n");
    const text = [
      "# Here and now",
      "[a](docs/other.md) [b](docs/other.md#a-b-of-c-d) [c](#here-and-now) [d](docs) [e](https://example.org/x) [f](docs/other.md#twice-1)",
      "`[code](gone.md)`",
      "```md",
      "[fenced](gone.md)",
      "```",
    ].join("\n");
    expect(inspectLinks(root, "README.md", text).map(line)).toEqual([]);
  });
});

describe("this repository", () => {
  it("keeps its own rules", () => {
    expect(inspectRepository(repositoryRoot).map(line)).toEqual([]);
  });
});
