import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("runs as its README says", { timeout: 180_000 }, async () => {
  const smoke = fileURLToPath(new URL("../src/smoke.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), smoke]);
  expect(stdout).toContain("the transport keeps the contract, and carries a cluster");
  // As many cases as the suite has: none was left out.
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(51);
});
