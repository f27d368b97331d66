import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkSteps } from "../check/steps.js";
import { repositoryRoot } from "../lib/root.js";
import { run } from "../lib/run.js";

/** File → source and the rule that must refuse it, or null for what is fine. */
const seeds: Record<string, { text: string; rule: string | null }> = {
  "floating.ts": { text: "async function f(): Promise<void> {}\nf();\n", rule: "no-floating-promises" },
  "floating-chain.ts": { text: "Promise.resolve(1).then((x) => x + 1);\n", rule: "no-floating-promises" },
  "misused-condition.ts": {
    text: "async function f(): Promise<boolean> { return false; }\nif (f()) console.log();\n",
    rule: "no-misused-promises",
  },
  "misused-callback.ts": { text: "[1].forEach(async () => { await Promise.resolve(); });\n", rule: "no-misused-promises" },
  "await.ts": { text: "const n = 1;\nawait n;\n", rule: "await-thenable" },
  "switch.ts": {
    text: 'declare const k: "a" | "b";\nswitch (k) {\n  case "a":\n    console.log();\n}\n',
    rule: "switch-exhaustiveness-check",
  },
  "fine.ts": { text: "async function f(): Promise<void> {}\nawait f();\nvoid f();\nf().catch(() => undefined);\n", rule: null },
};

let directory = "";
let found: { file: string; rule: string }[] = [];
let code: number | null = null;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "octopii-promises-"));
  const strict = { strict: true, module: "NodeNext", moduleResolution: "NodeNext", target: "ES2022", lib: ["ES2022", "DOM"], noEmit: true };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...strict, types: [] }, include: ["*.ts"] }));
  writeFileSync(join(directory, "package.json"), `{ "type": "module" }`);
  for (const [file, { text }] of Object.entries(seeds)) writeFileSync(join(directory, file), `${text}export {};\n`);
  const step = checkSteps.find(({ name }) => name === "promises");
  if (step === undefined) throw new Error("pnpm check has no step for promises");
  const args = [...step.args, "--config", join(repositoryRoot, ".oxlintrc.json"), "--format=json", "."];
  const finished = await run(step.command, args, { output: "capture", timeLimitMs: 60_000, cwd: directory });
  const { diagnostics } = JSON.parse(finished.output) as { diagnostics: { filename: string; code: string }[] };
  found = diagnostics.map((one) => ({ file: one.filename.replace(/^\.\//, ""), rule: /\(([^)]+)\)/.exec(one.code)?.[1] ?? one.code }));
  code = finished.code;
}, 90_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("the rules on promises and switches", () => {
  it("end the step with a failure", () => {
    expect(code).toBe(1);
  });

  it.each(Object.entries(seeds))("%s", (file, { rule }) => {
    expect(found.filter((one) => one.file === file).map((one) => one.rule)).toEqual(rule === null ? [] : [rule]);
  });
});
