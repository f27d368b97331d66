import { readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";

const outside = new Set(["node_modules", "dist", "coverage", ".git", ".turbo", ".cache", ".octopii"]);

/** The files below `root/under`, as paths from `root` with forward slashes, in order; what tools make or install is left out. */
export function listFiles(root: string, under: string, wanted: (path: string) => boolean): string[] {
  const start = join(root, under);
  const found: string[] = [];
  const visit = (directory: string) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (!outside.has(entry.name)) visit(path);
      } else if (entry.isFile()) {
        const fromRoot = relative(root, path).split(sep).join("/");
        if (wanted(fromRoot)) found.push(fromRoot);
      }
    }
  };
  if (statSync(start, { throwIfNoEntry: false })?.isDirectory()) visit(start);
  return found.sort();
}

/** Whether a path is TypeScript that people wrote. */
export function isTypeScript(path: string): boolean {
  return /\.[cm]?ts$/.test(path) && !/\.d\.[cm]?ts$/.test(path);
}
