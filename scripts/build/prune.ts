import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { builtEntries, sourceOf, type WorkspacePackage } from "../lib/workspace.js";

/**
 * Removes from a package's `dist` what no build of today's sources would make: chunks that no entry reaches any more, and
 * declarations whose source is gone. Neither tsup nor tsc does, and a tarball would carry them.
 *
 * @returns the paths that were removed, from the package's folder.
 */
export function prune({ directory, manifest }: WorkspacePackage): string[] {
  const dist = join(directory, "dist");
  if (!existsSync(dist)) return [];
  const reached = reachable(
    directory,
    builtEntries(manifest).map(({ file }) => normalize(file)),
  );
  const stale = readdirSync(dist, { recursive: true, encoding: "utf8" })
    .map((path) => join("dist", path))
    .filter((path) => {
      if (/\.d\.ts(\.map)?$/.test(path)) return !existsSync(join(directory, sourceOf(`./${path.replaceAll("\\", "/")}`)));
      return /\.js(\.map)?$/.test(path) && !reached.has(path.replace(/\.map$/, ""));
    });
  for (const path of stale) rmSync(join(directory, path));
  return stale;
}

/** The JavaScript files that `entries` import, directly or by way of each other. */
function reachable(directory: string, entries: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path) || !existsSync(join(directory, path))) return;
    reached.add(path);
    for (const specifier of importsOf(readFileSync(join(directory, path), "utf8"))) {
      if (specifier.startsWith(".")) visit(normalize(join(dirname(path), specifier)));
    }
  };
  entries.forEach(visit);
  return reached;
}

/** The modules that a text imports, statically or by `import()`. */
export function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}
