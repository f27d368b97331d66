import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The fields of a `package.json` that the tools here read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** A package of this workspace. */
export interface WorkspacePackage {
  /** Its folder under `packages/`, which is also its name without the scope. */
  readonly folder: string;
  readonly directory: string;
  readonly manifest: Manifest;
}

/** Reads a JSON file; the caller vouches for its shape. */
export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

/** Every folder under `packages/` of the repository at `root` that has a manifest, by name. */
export function workspacePackages(root: string): WorkspacePackage[] {
  return readdirSync(join(root, "packages"))
    .sort()
    .map((folder) => ({ folder, directory: join(root, "packages", folder) }))
    .filter(({ directory }) => existsSync(join(directory, "package.json")))
    .map(({ folder, directory }) => ({ folder, directory, manifest: readJson<Manifest>(join(directory, "package.json")) }));
}

/** Those of them that are published. */
export function publicPackages(root: string): WorkspacePackage[] {
  return workspacePackages(root).filter(({ manifest }) => manifest.private !== true);
}

/** The built JavaScript files that a manifest's `exports` and `bin` lead to, with the name that a user imports each by. */
export function builtEntries(manifest: Manifest): { specifier: string; file: string; importable: boolean }[] {
  const exported = Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const file = typeof target === "string" ? target : target.default;
    return file?.endsWith(".js") ? [{ specifier: manifest.name + subpath.slice(1), file, importable: true }] : [];
  });
  const programs = Object.entries(manifest.bin ?? {}).map(([name, file]) => ({ specifier: name, file, importable: false }));
  return [...exported, ...programs];
}

/** The source of a built file: tsup and tsc both keep the tree below `src` as it is. */
export function sourceOf(builtFile: string): string {
  return builtFile.replace(/^\.\/dist\//, "src/").replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
}
