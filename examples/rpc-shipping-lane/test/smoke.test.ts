import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("runs as its README says", { timeout: 90_000 }, async () => {
  const smoke = fileURLToPath(new URL("../src/smoke.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), smoke]);
  expect(stdout).toMatch(/everything arrived that should, and nothing else/);
});
