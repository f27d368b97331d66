/** What a file may look like: its length, its functions' lengths, its comments, and whether its tests all run. */
import ts from "typescript";
import type { Finding } from "./finding.js";
import { comments, lineAt, walk } from "./syntax.js";

/** A file of more lines has more than one subject. */
const fileLineLimit = 500;
/** A function of more lines does not fit a screen. */
const functionLineLimit = 70;

/** Words that mark work as unfinished, and the ways to silence the compiler. Spelled so that this file does not hold them. */
const unfinished = new RegExp(`\\b(${["TO", "FIX", "X"].map((start, at) => start + ["DO", "ME", "XX"][at]).join("|")})\\b`);
const silencer = new RegExp(`@ts-(${["ignore", "nocheck", "expect-error"].join("|")})\\b`);

/** Length of the file and of each function in it. Tests may have long functions: theirs are lists of cases. */
export function inspectSize(path: string, file: ts.SourceFile): Finding[] {
  const findings: Finding[] = [];
  const lines = file.text.split("\n").length - (file.text.endsWith("\n") ? 1 : 0);
  if (lines > fileLineLimit)
    findings.push({ where: path, rule: "file-length", message: `${lines} lines; split it below ${fileLineLimit}` });
  if (isTest(path)) return findings;
  walk(file, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return;
    const start = lineAt(file, node.getStart(file));
    const length = lineAt(file, node.end) - start + 1;
    if (length <= functionLineLimit) return;
    const name = node.name?.getText(file) ?? "a function";
    findings.push({
      where: `${path}:${start}`,
      rule: "function-length",
      message: `${name} has ${length} lines; keep it within ${functionLineLimit}`,
    });
  });
  return findings;
}

/** Comments that say that something is not done, or that keep the compiler quiet. */
export function inspectComments(path: string, file: ts.SourceFile): Finding[] {
  // Most files hold none of the words anywhere, and finding comments is slow.
  if (!unfinished.test(file.text) && !silencer.test(file.text)) return [];
  return comments(file).flatMap(({ text, line }) =>
    text.split("\n").flatMap((part, offset) => {
      const where = `${path}:${line + offset}`;
      const word = unfinished.exec(part)?.[0];
      const silenced = silencer.exec(part)?.[0];
      return [
        ...(word === undefined ? [] : [{ where, rule: "unfinished", message: `${word} in a comment: do it, or open an issue` }]),
        ...(silenced === undefined ? [] : [{ where, rule: "silenced", message: `${silenced} hides an error: fix the type` }]),
      ];
    }),
  );
}

/** The same words in a document. */
export function inspectProse(path: string, text: string): Finding[] {
  return text.split("\n").flatMap((line, index) => {
    const word = unfinished.exec(line)?.[0];
    if (word === undefined) return [];
    return [
      { where: `${path}:${index + 1}`, rule: "unfinished", message: `${word} in a document: do it, or say plainly what is not there` },
    ];
  });
}

const suites = new Set(["it", "test", "describe", "suite"]);
const idle = new Set(["skip", "only", "todo"]);
const idleAliases = new Set(["xit", "xtest", "xdescribe", "fit", "fdescribe"]);

/** Tests that do not run, or that keep others from running. */
export function inspectTests(path: string, file: ts.SourceFile): Finding[] {
  if (!isTest(path)) return [];
  const findings: Finding[] = [];
  const refuse = (node: ts.Node, what: string) =>
    findings.push({
      where: `${path}:${lineAt(file, node.getStart(file))}`,
      rule: "idle-test",
      message: `${what}: every test runs; fix it or delete it`,
    });
  walk(file, (node) => {
    if (ts.isPropertyAccessExpression(node) && idle.has(node.name.text) && suites.has(head(node.expression))) {
      refuse(node.name, `${head(node.expression)}.${node.name.text}`);
    }
    if (!ts.isCallExpression(node)) return;
    if (ts.isIdentifier(node.expression) && idleAliases.has(node.expression.text)) refuse(node, node.expression.text);
    if (suites.has(head(node.expression))) for (const option of idleOptions(node)) refuse(option, `{ ${option.getText(file)} }`);
  });
  return findings;
}

/** `it` of `it.concurrent.each([…])`. */
function head(expression: ts.Expression): string {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isPropertyAccessExpression(expression) || ts.isCallExpression(expression)) return head(expression.expression);
  return "";
}

function idleOptions(call: ts.CallExpression): ts.Node[] {
  return call.arguments
    .filter(ts.isObjectLiteralExpression)
    .flatMap((literal) => [...literal.properties])
    .filter((property) => property.name !== undefined && ts.isIdentifier(property.name) && idle.has(property.name.text));
}

function isTest(path: string): boolean {
  return /(^|\/)test\//.test(path);
}
