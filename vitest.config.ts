import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Tests run on the sources, so no build is needed: each package name, and each `name/entry`, leads to its file in `src`. */
const packages = readdirSync(new URL("./packages", import.meta.url)).join("|");
const source = (path: string) => new URL(`./packages/${path}`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    alias: [
      { find: new RegExp(`^@octopii/(${packages})$`), replacement: source("$1/src/index.ts") },
      { find: new RegExp(`^@octopii/(${packages})/(.+)$`), replacement: source("$1/src/$2/index.ts") },
    ],
  },
  test: {
    include: ["packages/*/test/**/*.test.ts", "scripts/test/**/*.test.ts", "examples/*/test/**/*.test.ts"],
    pool: "forks",
    // One file on every core: the default leaves one idle, which of two is half.
    maxWorkers: availableParallelism(),
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
