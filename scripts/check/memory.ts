import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "../lib/root.js";

/** Which tarballs passed before: a tarball is the same if its bytes, the tools, and the code that checks are. */
export interface Memory {
  passed(tarball: Uint8Array): boolean;
  remember(tarball: Uint8Array): void;
  /** Whether exactly these tarballs were loaded together. */
  allPassed(): boolean;
  rememberAll(): void;
  /** Keeps what holds for today's tarballs, and forgets the rest. */
  save(): void;
}

const file = join(repositoryRoot, "node_modules/.cache/octopii/packages.json");

/** Opens the memory for the tarballs of this run. */
export function openMemory(tarballs: readonly Uint8Array[]): Memory {
  const salt = checkerDigest();
  const digest = (...parts: readonly Uint8Array[]) => {
    const hash = createHash("sha256").update(salt);
    for (const part of parts) hash.update(part);
    return hash.digest("hex");
  };
  const together = digest(...tarballs);
  const known = read();
  const current = new Set([together, ...tarballs.map((tarball) => digest(tarball))].filter((key) => known.has(key)));
  return {
    passed: (tarball) => current.has(digest(tarball)),
    remember: (tarball) => void current.add(digest(tarball)),
    allPassed: () => current.has(together),
    rememberAll: () => void current.add(together),
    save: () => {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${JSON.stringify([...current])}\n`);
    },
  };
}

/** Of the code of this step, the lockfile that fixes its tools, and the Node.js that runs it. */
function checkerDigest(): string {
  const hash = createHash("sha256").update(process.version);
  for (const path of readdirSync(import.meta.dirname).sort()) hash.update(readFileSync(join(import.meta.dirname, path)));
  return hash.update(readFileSync(join(repositoryRoot, "pnpm-lock.yaml"))).digest("hex");
}

/** Whatever the file holds, it can at worst be forgotten. */
function read(): Set<string> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return new Set(Array.isArray(value) ? value.filter((key): key is string => typeof key === "string") : []);
  } catch {
    return new Set();
  }
}
