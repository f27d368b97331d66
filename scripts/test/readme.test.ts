import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import { describe, expect, it } from "vitest";
import * as conformance from "../../packages/raft/src/conformance/index.js";
import * as raft from "../../packages/raft/src/index.js";
import { repositoryRoot } from "../lib/root.js";

/** The TypeScript examples of a README, in order. */
function examplesOf(readme: string): string[] {
  const text = readFileSync(join(repositoryRoot, readme), "utf8");
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? "");
}

/** Runs an example as it stands, with `modules` for what it imports. @returns what it printed. */
async function runExample(code: string, modules: Readonly<Record<string, object>>): Promise<unknown[]> {
  const { outputText } = transpileModule(code, { compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 } });
  const body = outputText.replace(/^import (\{.*?\}) from "(.*?)";$/gm, (_, names: string, from: string) => {
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
