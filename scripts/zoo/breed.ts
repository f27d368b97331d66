import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "tsup";
import { repositoryRoot } from "../lib/root.js";
import type { Bug, Patch } from "./bug.js";

const packages = join(repositoryRoot, "packages");
/** Loaded by name at run time, if at all: no simulated node does. */
const left = ["@octopii/transport-quic"];

/** The file with the patches in it. @throws if one does not fit. */
export function patched(text: string, patches: readonly Patch[]): string {
  return patches.reduce((broken, { file, find, replace }) => {
    if (broken.split(find).length !== 2) throw new Error(`what is to be replaced does not occur exactly once in ${file}: ${find}`);
    return broken.replace(find, () => replace);
  }, text);
}

/** The patches that do not fit the sources any more. */
export function stale({ patches }: Bug): Patch[] {
  return patches.filter(({ file, find }) => {
    const path = join(packages, file);
    return !existsSync(path) || readFileSync(path, "utf8").split(find).length !== 2;
  });
}

/**
 * Builds the simulator's program from the sources of all packages, with `bug` in them, as one file of its own. Nothing in the tree changes, and
 * nothing that is published is built from it. @returns the program's path.
 */
export async function breed(bug: Bug, directory: string): Promise<string> {
  const broken = new Map<string, Patch[]>();
  for (const patch of bug.patches) {
    const path = join(packages, patch.file);
    broken.set(path, [...(broken.get(path) ?? []), patch]);
  }
  await build({
    config: false,
    entry: { "sim-program": join(packages, "simulator/src/adapters/sim-program.ts") },
    outDir: directory,
    format: "esm",
    target: "node20",
    outExtension: () => ({ js: ".mjs" }),
    tsconfig: join(packages, "simulator/tsconfig.json"),
    noExternal: [/.*/],
    external: left,
    splitting: false,
    dts: false,
    silent: true,
    esbuildPlugins: [
      {
        name: "sources",
        setup: (pluginBuild) => {
          pluginBuild.onResolve({ filter: /^@octopii\// }, ({ path }) => {
            if (left.includes(path)) return { path, external: true };
            const [, name = "", ...entry] = path.split("/");
            return { path: join(packages, name, "src", ...entry, "index.ts") };
          });
          pluginBuild.onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const patches = broken.get(path);
            return patches === undefined ? undefined : { contents: patched(readFileSync(path, "utf8"), patches), loader: "ts" };
          });
        },
      },
    ],
  });
  return join(directory, "sim-program.mjs");
}
