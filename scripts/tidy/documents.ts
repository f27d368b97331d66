/** That documents point at things that exist, and that every dependency has its reason. */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { Finding } from "./finding.js";

/** Relative links of a Markdown file: the file must exist, and the heading in it too. */
export function inspectLinks(root: string, path: string, text: string): Finding[] {
  return linksOf(text).flatMap(({ target, line }) => {
    const problem = problemOf(root, path, text, target);
    return problem === null ? [] : [{ where: `${path}:${line}`, rule: "link", message: `${target} ${problem}` }];
  });
}

function linksOf(text: string): { target: string; line: number }[] {
  return proseLines(text).flatMap(({ content, line }) =>
    [...content.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|^\s{0,3}\[[^\]]+\]:\s+(\S+)/g)]
      .map((match) => ({ target: match[1] ?? match[2] ?? "", line }))
      .filter(({ target }) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target)),
  );
}

/** The lines outside code, with spans of code taken out. */
function proseLines(text: string): { content: string; line: number }[] {
  let fence: string | null = null;
  return text.split("\n").flatMap((raw, index) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(raw)?.[1] ?? null;
    if (fence !== null) {
      if (mark?.startsWith(fence)) fence = null;
      return [];
    }
    if (mark !== null) {
      fence = mark;
      return [];
    }
    return [{ content: raw.replace(/(`+)[^`].*?\1/g, ""), line: index + 1 }];
  });
}

function problemOf(root: string, path: string, text: string, target: string): string | null {
  const [file = "", anchor] = target.split("#", 2);
  if (file.startsWith("/")) return "begins at the root of the machine: write it relative to this file";
  const decoded = decodeURIComponent(file);
  const linked = decoded === "" ? path : posix.join(posix.dirname(path), decoded);
  if (linked.startsWith("../")) return "leads out of the repository";
  const absolute = join(root, linked);
  if (decoded !== "" && !existsSync(absolute)) return "does not exist";
  if (anchor === undefined || !linked.endsWith(".md")) return null;
  const content = decoded === "" ? text : readFileSync(absolute, "utf8");
  return anchorsOf(content).has(anchor) ? null : "names a heading that is not there";
}

/** The anchors that GitHub gives to headings: lower case, punctuation gone, blanks to hyphens, a number for repetitions. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  const counts = new Map<string, number>();
  // Headings are taken from the whole lines: spans of code are part of their names.
  const headings = text.replace(/^\s*(`{3,}|~{3,})[\s\S]*?^\s*\1.*$/gm, "").matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  for (const [, heading = ""] of headings) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    const seen = counts.get(slug) ?? 0;
    counts.set(slug, seen + 1);
    anchors.add(seen === 0 ? slug : `${slug}-${seen}`);
  }
  return anchors;
}

const reasons = "docs/DEPENDENCIES.md";

/** Every entry of the catalog has one line of the table in docs/DEPENDENCIES.md, and every line its entry. */
export function inspectDependencies(root: string): Finding[] {
  const catalog = catalogNames(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8"));
  const document = existsSync(join(root, reasons)) ? readFileSync(join(root, reasons), "utf8") : "";
  const explained = new Set([...document.matchAll(/^\| `([^`]+)` \| .{10,} \|$/gm)].map((match) => match[1] ?? ""));
  const unexplained = catalog.filter((name) => !explained.has(name)).map((name) => `${name} is in the catalog without a reason here`);
  const gone = [...explained].filter((name) => !catalog.includes(name)).map((name) => `${name} is not in the catalog: drop its line`);
  return [...unexplained, ...gone].map((message) => ({ where: reasons, rule: "dependency", message }));
}

/** The names under `catalog:` in pnpm-workspace.yaml. */
export function catalogNames(yaml: string): string[] {
  const block = /^catalog:\n((?:[ \t]+.*\n|\s*\n|[ \t]*#.*\n)*)/m.exec(yaml)?.[1] ?? "";
  return [...block.matchAll(/^\s+(?:"([^"]+)"|'([^']+)'|([^\s:#]+)):\s/gm)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}
