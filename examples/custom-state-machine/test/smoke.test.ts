import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

it("runs as its README says", { timeout: 90_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), path("../src/smoke.ts")]);
  expect(stdout).toContain("three replicas sold the same seats to the same people");
  // What the README shows is what it prints.
  const [, shown = ""] = /```text\n([\s\S]*?)```/.exec(readFileSync(path("../README.md"), "utf8")) ?? [];
  expect(shown).not.toBe("");
  expect(stdout).toContain(shown);
});
