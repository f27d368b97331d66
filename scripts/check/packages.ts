/**
 * The step `packages` of `pnpm check`: packs every public package and checks the tarballs, not the folders: what they hold, their
 * manifests (publint), their types (attw), and that Node.js loads every entry. A tarball that passed once is not checked again.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { prune } from "../build/prune.js";
import { repositoryRoot } from "../lib/root.js";
import { failure, run, tool } from "../lib/run.js";
import { readTarball, unpack } from "../lib/tarball.js";
import { builtEntries, type Manifest, publicPackages, type WorkspacePackage } from "../lib/workspace.js";
import { inspectContents } from "./contents.js";
import { openMemory } from "./memory.js";

interface Packed {
  readonly folder: string;
  readonly directory: string;
  /** Where the tarball lies. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly manifest: Manifest;
}

const timeLimitMs = 2 * 60_000;

async function pack({ folder, directory }: WorkspacePackage, destination: string): Promise<Packed> {
  const path = join(destination, `${folder}.tgz`);
  const finished = await run("pnpm", ["pack", "--out", path, "--json"], { output: "capture", timeLimitMs, cwd: directory });
  const reason = failure(finished);
  if (reason !== null) throw new Error(`pnpm pack of packages/${folder}: ${reason}\n${finished.output}`);
  const bytes = readFileSync(path);
  const files = readTarball(bytes);
  const manifest = JSON.parse(Buffer.from(files.get("package.json") ?? []).toString("utf8")) as Manifest;
  return { folder, directory, path, bytes, files, manifest };
}

/** What is wrong with one tarball, a sentence each. */
async function inspect({ bytes, files, path, manifest }: Packed): Promise<string[]> {
  const tarball = new Uint8Array(bytes).buffer;
  const { messages } = await publint({ pack: { tarball }, strict: true });
  const manifestProblems = messages.map((message) => `publint: ${formatMessage(message, manifest, { color: false }) ?? message.code}`);
  const types = await run(tool("attw"), [path, "--profile", "esm-only", "--no-definitely-typed", "--no-color", "--no-emoji"], {
    output: "capture",
    timeLimitMs,
  });
  const typeProblems = failure(types) === null ? [] : [`attw: ${types.output.trim()}`];
  return [...inspectContents(files), ...manifestProblems, ...typeProblems];
}

/** Installs all tarballs into an empty folder, as a user would have them, and imports every entry of theirs. */
async function load(packed: readonly Packed[], house: string): Promise<string[]> {
  for (const { directory, files, manifest } of packed) {
    unpack(files, join(house, "node_modules", manifest.name));
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const link = join(house, "node_modules", name);
      if (name.startsWith("@octopii/")) continue;
      mkdirSync(dirname(link), { recursive: true });
      rmSync(link, { force: true });
      symlinkSync(join(directory, "node_modules", name), link);
    }
  }
  const entries = packed.flatMap(({ manifest }) => builtEntries(manifest).filter(({ importable }) => importable));
  const lines = entries.map(
    ({ specifier }) => `await import("${specifier}").catch((error) => problems.push("${specifier}: " + error.message));`,
  );
  const program = `const problems = [];\n${lines.join("\n")}\nfor (const problem of problems) console.log(problem);\nprocess.exit(problems.length);\n`;
  writeFileSync(join(house, "load.mjs"), program);
  const finished = await run(process.execPath, ["load.mjs"], { output: "capture", timeLimitMs, cwd: house });
  return failure(finished) === null ? [] : [`loading the packages: ${failure(finished)}\n${finished.output.trim()}`];
}

async function main(workplace: string): Promise<number> {
  const packages = publicPackages(repositoryRoot);
  for (const one of packages) prune(one);
  const packed = await Promise.all(packages.map((one) => pack(one, workplace)));
  const memory = openMemory(packed.map(({ bytes }) => bytes));
  let problems = 0;
  const tell = (where: string, found: readonly string[]) => {
    for (const problem of found) console.error(`${where}: ${problem}`);
    problems += found.length;
  };
  const news = packed.filter(({ bytes }) => !memory.passed(bytes));
  const inspectNext = async () => {
    for (let one = news.pop(); one !== undefined; one = news.pop()) {
      const found = await inspect(one);
      tell(`packages/${one.folder}`, found);
      if (found.length === 0) memory.remember(one.bytes);
    }
  };
  const fresh = news.length;
  await Promise.all([inspectNext(), inspectNext()]);
  if (!memory.allPassed()) {
    const found = await load(packed, join(workplace, "house"));
    tell("packages", found);
    if (found.length === 0) memory.rememberAll();
  }
  memory.save();
  console.error(`${packed.length} tarballs, ${fresh} of them new, ${problems} problems`);
  return problems;
}

const workplace = mkdtempSync(join(tmpdir(), "octopii-packages-"));
try {
  process.exitCode = (await main(workplace)) === 0 ? 0 : 1;
} finally {
  rmSync(workplace, { recursive: true, force: true });
}
