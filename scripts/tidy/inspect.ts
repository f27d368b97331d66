import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isTypeScript, listFiles } from "../lib/files.js";
import { inspectDeterminism } from "./determinism.js";
import { inspectDependencies, inspectLinks } from "./documents.js";
import type { Finding } from "./finding.js";
import { inspectPackages } from "./packages.js";
import { inspectComments, inspectProse, inspectSize, inspectTests } from "./shape.js";
import { parse } from "./syntax.js";

/** All that the repository at `root` does against its own rules. */
export function inspectRepository(root: string): Finding[] {
  const read = (path: string): [string, string] => [path, readFileSync(join(root, path), "utf8")];
  const sources = new Map(listFiles(root, ".", isTypeScript).map(read));
  const documents = listFiles(root, ".", (path) => path.endsWith(".md")).map(read);
  return [
    ...inspectDeterminism(sources),
    ...[...sources].flatMap(([path, text]) => inspectSource(path, text)),
    ...documents.flatMap(([path, text]) => [...inspectLinks(root, path, text), ...inspectProse(path, text)]),
    ...inspectPackages(root),
    ...inspectDependencies(root),
  ];
}

/** What one file does against the rules that need nothing but its text, the bans excepted. */
export function inspectSource(path: string, text: string): Finding[] {
  const file = parse(path, text);
  return [...inspectSize(path, file), ...inspectComments(path, file), ...inspectTests(path, file)];
}
