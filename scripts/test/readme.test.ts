import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import { describe, expect, it } from "vitest";
import * as certificates from "../../packages/certificates/src/index.js";
import * as core from "../../packages/core/src/index.js";
import * as runtime from "../../packages/core/src/runtime/index.js";
import * as conformance from "../../packages/raft/src/conformance/index.js";
import * as raft from "../../packages/raft/src/index.js";
import * as rpc from "../../packages/rpc/src/index.js";
import * as shippingLane from "../../packages/shipping-lane/src/index.js";
import * as simulator from "../../packages/simulator/src/index.js";
import * as streams from "../../packages/streams/src/index.js";
import * as transportQuic from "../../packages/transport-quic/src/index.js";
import * as transportTcp from "../../packages/transport-tcp/src/index.js";
import * as walrus from "../../packages/walrus/src/index.js";
import { repositoryRoot } from "../lib/root.js";

/** The TypeScript examples of a README, in order. */
function examplesOf(readme: string): string[] {
  const text = readFileSync(join(repositoryRoot, readme), "utf8");
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? "");
}

/** Runs an example as it stands, with `modules` for what it imports. @returns what it printed. */
async function runExample(code: string, modules: Readonly<Record<string, object>>): Promise<unknown[]> {
  const { outputText } = transpileModule(code, { compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 } });
  const body = outputText.replace(/^import (\{[^}]*\}) from "(.*?)";$/gm, (_, names: string, from: string) => {
    if (!(from in modules)) throw new Error(`The example imports "${from}", which the test does not have.`);
    return `const ${names} = modules["${from}"];`;
  });
  const printed: unknown[] = [];
  const AsyncFunction = (async () => undefined).constructor as new (...source: string[]) => (...values: unknown[]) => Promise<void>;
  await new AsyncFunction("modules", "console", body)(modules, { log: (value: unknown) => printed.push(value) });
  return printed;
}

describe("the README of @octopii/raft", () => {
  const [group = "", suite = ""] = examplesOf("packages/raft/README.md");

  it("has an example of three replicas that runs as it stands", async () => {
    const printed = await runExample(group, { "@octopii/raft": raft, "@octopii/raft/conformance": conformance });
    expect(printed).toEqual([7]);
  });

  it("has an example of a suite whose cases pass", async () => {
    const cases: { name: string; run: () => Promise<void> }[] = [];
    const nodeTest = { test: (name: string, run: () => Promise<void>) => cases.push({ name, run }) };
    await runExample(suite, { "node:test": nodeTest, "@octopii/raft/conformance": conformance });
    expect(cases.length).toBeGreaterThan(20);
    for (const { run } of cases) await run();
  });
});

describe("the README of @octopii/walrus", () => {
  it("has an example of a log that runs as it stands", async () => {
    const directory = mkdtempSync(join(tmpdir(), "octopii-readme-"));
    try {
      const [example = ""] = examplesOf("packages/walrus/README.md");
      const printed = await runExample(example.replace("data/log", directory), { "@octopii/walrus": walrus });
      expect(printed).toEqual(["first", "second, corrected", 2]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("the README of @octopii/core", () => {
  const find = (word: string): string => examplesOf("packages/core/README.md").find((code) => code.includes(word)) ?? "";

  it("has an example of a runtime that runs as it stands", async () => {
    const directory = mkdtempSync(join(tmpdir(), "octopii-readme-"));
    try {
      const work = join(directory, "work.mjs");
      writeFileSync(work, "export const max = (numbers) => Math.max(...numbers);\n");
      const code = find("createRuntime").replace('new URL("./work.js", import.meta.url)', JSON.stringify(pathToFileURL(work).href));
      expect(await runExample(code, { "@octopii/core/runtime": runtime })).toEqual([3, 4]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("has an example of methods that a node takes", async () => {
    const members = [{ id: 1, address: "127.0.0.1:7001" }];
    const options = {
      id: 1,
      cluster: "shop",
      directory: "none",
      members,
      credentials: { certificate: "", privateKey: "", authorities: "" },
    };
    const code = `${find("createRouter").replace(/^export /gm, "")}\nconsole.log(greetingNode(${JSON.stringify(options)}).id);`;
    expect(await runExample(code, { "@octopii/core": core, "@octopii/rpc": rpc })).toEqual([1]);
  });
});

describe("the READMEs of the transports, of @octopii/streams and of @octopii/certificates", () => {
  const modules = {
    "@octopii/certificates": certificates,
    "@octopii/streams": streams,
    "@octopii/transport-quic": transportQuic,
    "@octopii/transport-tcp": transportTcp,
  };

  it.each(["quic", "tcp"])("have an example of two nodes on %s that runs as it stands", async (kind) => {
    const [example = ""] = examplesOf(`packages/transport-${kind}/README.md`);
    expect(await runExample(example, modules)).toEqual(["hello, node-2"]);
  });

  it("have an example of streams that runs as it stands", async () => {
    const [example = ""] = examplesOf("packages/streams/README.md");
    expect(await runExample(example, modules)).toEqual(["hello"]);
  });

  it("have an example of certificates that runs as it stands", async () => {
    const [example = ""] = examplesOf("packages/certificates/README.md");
    const printed = await runExample(example.replace(/^export /gm, ""), modules);
    expect(printed).toEqual([["octopii://orders/node/1"], expect.stringMatching(/^The certificate of 'alpha' is valid for 36\d days\.$/)]);
  });
});

describe("the README of @octopii/simulator", () => {
  const [counter = ""] = examplesOf("packages/simulator/README.md");
  const modules = { "@octopii/core": core, "@octopii/simulator": simulator };

  it("has an example that finds the bug in it, and nothing once it is mended", { timeout: 120_000 }, async () => {
    const bug = "    this.#count = 0; // the bug\n";
    expect(counter).toContain(bug);
    await expect(runExample(counter, modules)).rejects.toThrow(/^seed \d+: linearizability/);
    const mended = counter
      .replace("async restore(): Promise<void> {", "async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {")
      .replace(bug, "    for await (const chunk of chunks) this.#count = count(chunk);\n")
      .replace("seed <= 20", "seed <= 3");
    await runExample(mended, modules);
  });
});

describe("the README of @octopii/shipping-lane", () => {
  it("has an example of a file that is sent, which runs as it stands", async () => {
    const directory = mkdtempSync(join(tmpdir(), "octopii-readme-"));
    try {
      const [example = ""] = examplesOf("packages/shipping-lane/README.md");
      mkdirSync(join(directory, "inbox"));
      writeFileSync(join(directory, "report.json"), "{}");
      const code = example.replace("inbox/", `${directory}/inbox/`).replace('"report.json"', JSON.stringify(`${directory}/report.json`));
      const modules = {
        "@octopii/certificates": certificates,
        "@octopii/shipping-lane": shippingLane,
        "@octopii/transport-tcp": transportTcp,
      };
      const checksum = createHash("sha256").update("{}").digest("hex");
      expect((await runExample(code, modules)).sort()).toEqual(["2 bytes from node-2", checksum].sort());
      expect(readFileSync(join(directory, "inbox/report.json"), "utf8")).toBe("{}");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
