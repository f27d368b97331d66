import { script, tool } from "../lib/run.js";
import type { Step } from "./schedule.js";

function step(name: string, [command, args]: [command: string, args: readonly string[]], after: readonly string[] = []): Step {
  return { name, command, args, after };
}

/** What `pnpm check` checks, the longest first. */
export const checkSteps: readonly Step[] = [
  step("types", [tool("tsc"), ["-b", "--pretty", "false"]]),
  step("format and lint", [tool("biome"), ["ci", "--colors=off", "--error-on-warnings", "--max-diagnostics=100", "."]]),
  step("build", [tool("turbo"), ["run", "build", "--output-logs=errors-only"]]),
  step("arrows", script("scripts/check/arrows.ts")),
  step("tidy", script("scripts/tidy.ts")),
  step("unused code", [tool("knip"), ["--no-progress", "--no-config-hints"]]),
  // These two read the declarations that the compiler writes.
  step("promises", [tool("oxlint"), ["--type-aware", "--disable-nested-config", "--report-unused-disable-directives"]], ["types"]),
  step("packages", script("scripts/check/packages.ts"), ["types", "build"]),
  step("manifests", [tool("sherif"), []]),
];
