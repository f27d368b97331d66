/** What a packed package must hold, and must not. */
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { importsOf } from "../build/prune.js";
import { builtEntries, type Manifest } from "../lib/workspace.js";

const shipped = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|src\/.+\.ts|dist\/.+\.(js|js\.map|d\.ts|d\.ts\.map))$/;

/** What is wrong with the files of a tarball, a sentence each. */
export function inspectContents(files: ReadonlyMap<string, Uint8Array>): string[] {
  const text = (path: string) => Buffer.from(files.get(path) ?? []).toString("utf8");
  const manifest = JSON.parse(text("package.json")) as Manifest;
  return [
    ...["README.md", "LICENSE", ...entryFiles(manifest)].filter((path) => !files.has(path)).map((path) => `${path} is missing`),
    ...[...files.keys()].filter((path) => !shipped.test(path)).map((path) => `${path} has no place in a package`),
    ...protocolsIn(manifest),
    ...[...files.keys()]
      .filter((path) => /^dist\/.+\.(js|d\.ts)$/.test(path))
      .flatMap((path) => importsOf(text(path)).flatMap((specifier) => problemOf(path, specifier, files, manifest) ?? [])),
  ];
}

function entryFiles(manifest: Manifest): string[] {
  const scripts = builtEntries(manifest).map(({ file }) => file);
  const declarations = Object.values(manifest.exports ?? {}).flatMap((target) => (typeof target === "string" ? [] : [target.types ?? ""]));
  return [...scripts, ...declarations].map((path) => posix.normalize(path));
}

/** pnpm replaces these when it packs; a user's package manager would not understand them. */
function protocolsIn(manifest: Manifest): string[] {
  const ranges = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  return Object.entries(ranges)
    .filter(([, range]) => /^(workspace|catalog|link|file):/.test(range))
    .map(([name, range]) => `the packed package.json still says ${range} of ${name}`);
}

function problemOf(path: string, specifier: string, files: ReadonlyMap<string, Uint8Array>, manifest: Manifest): string | null {
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(path), specifier);
    const found = path.endsWith(".d.ts") ? files.has(target.replace(/\.js$/, ".d.ts")) : files.has(target);
    return found ? null : `${path} imports ${specifier}, which the package does not hold`;
  }
  if (specifier.startsWith("node:")) return null;
  if (builtinModules.includes(specifier)) return `${path} imports ${specifier}: write node:${specifier}`;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  return name in declared || name === manifest.name ? null : `${path} imports ${specifier}, which package.json does not depend on`;
}
