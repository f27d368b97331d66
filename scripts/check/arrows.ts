/** The step `arrows` of `pnpm check`: who imports whom, by dependency-cruiser and the table in .dependency-cruiser.cjs. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from "dependency-cruiser";
import { isTypeScript, listFiles } from "../lib/files.js";
import { repositoryRoot } from "../lib/root.js";
import { builtEntries, sourceOf, workspacePackages } from "../lib/workspace.js";

/** An import that a rule forbids. */
export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  /** The way around, when the rule is about cycles. */
  readonly cycle: readonly string[];
  readonly comment: string;
}

/** What a cruise saw. */
export interface Arrows {
  readonly violations: Violation[];
  /** TypeScript files that exist but were not read. Anything here means that the walls were not checked. */
  readonly unread: string[];
  readonly files: number;
  readonly imports: number;
}

const rooms = ["packages", "examples", "bench", "scripts"];

/**
 * Package names lead to sources, so that the walls can be checked before anything is built. The longest name stands first: the
 * resolver takes the first that fits, and below an entry there is nothing.
 */
function sourceAliases(root: string): Record<string, string> {
  const aliases = workspacePackages(root).flatMap(({ directory, manifest }) =>
    builtEntries(manifest)
      .filter(({ importable }) => importable)
      .map(({ specifier, file }): [string, string] => [specifier, join(directory, sourceOf(file))]),
  );
  return Object.fromEntries(aliases.sort(([a], [b]) => b.length - a.length));
}

/** Follows every import below `root` and holds it against the rules. */
export async function inspectArrows(root: string): Promise<Arrows> {
  const { forbidden, options } = createRequire(import.meta.url)(join(repositoryRoot, ".dependency-cruiser.cjs"));
  const present = rooms.filter((room) => existsSync(join(root, room)));
  const sources = present.flatMap((room) => listFiles(root, room, isTypeScript));
  const ruleSet: IFlattenedRuleSet = { forbidden };
  const resolve = { ...options.enhancedResolveOptions, alias: sourceAliases(root) };
  const reply = await cruise(present, { ...options, baseDir: root, validate: true, ruleSet }, resolve);
  const { modules, summary } = reply.output as ICruiseResult;
  const comments = new Map<string, string>(forbidden.map((rule: { name: string; comment: string }) => [rule.name, rule.comment]));
  const read = new Set(modules.map((module) => module.source));
  return {
    violations: summary.violations.map(({ rule, from, to, cycle }) => {
      const steps = cycle?.map(({ name }) => name) ?? [];
      return { rule: rule.name, from, to, cycle: steps, comment: comments.get(rule.name) ?? "" };
    }),
    unread: sources.filter((path) => !read.has(path)),
    files: sources.length,
    imports: modules.reduce((sum, module) => sum + module.dependencies.length, 0),
  };
}

async function main(): Promise<void> {
  const { violations, unread, files, imports } = await inspectArrows(repositoryRoot);
  for (const { rule, from, to, cycle, comment } of violations) {
    console.error(`${rule}: ${[from, ...(cycle.length > 0 ? cycle : [to])].join(" → ")}\n    ${comment}`);
  }
  for (const path of unread) console.error(`${path} was not read: dependency-cruiser found no TypeScript compiler that it supports`);
  console.error(`${files} files, ${imports} imports, ${violations.length} forbidden, ${unread.length} unread`);
  if (violations.length + unread.length > 0 || imports === 0) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
