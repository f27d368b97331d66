import ts from "typescript";

/** Parsed files, by path, and a checker that knows their scopes but no library and no other file: globals have no symbol in it. */
export interface BoundSources {
  readonly files: ReadonlyMap<string, ts.SourceFile>;
  readonly checker: ts.TypeChecker;
}

/** Parses one file, with parents set. */
export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
}

/** Parses files, path → text, and binds their names. */
export function bindSources(sources: ReadonlyMap<string, string>): BoundSources {
  const files = new Map([...sources].map(([path, text]): [string, ts.SourceFile] => [path, parse(path, text)]));
  const host: ts.CompilerHost = {
    getSourceFile: (path) => files.get(path),
    fileExists: (path) => files.has(path),
    readFile: (path) => sources.get(path),
    getDefaultLibFileName: () => "",
    writeFile: () => undefined,
    getCurrentDirectory: () => "",
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
  };
  const options: ts.CompilerOptions = {
    noLib: true,
    noResolve: true,
    types: [],
    target: ts.ScriptTarget.ESNext,
    moduleDetection: ts.ModuleDetectionKind.Force,
  };
  return { files, checker: ts.createProgram({ rootNames: [...files.keys()], options, host }).getTypeChecker() };
}

/** Calls `visit` for a node and all below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** The one-based line at which a position of a file stands. */
export function lineAt(file: ts.SourceFile, position: number): number {
  return file.getLineAndCharacterOfPosition(position).line + 1;
}

/** Every comment of a file: the text between tokens holds nothing else than those and white space. */
export function comments(file: ts.SourceFile): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  const seen = new Set<number>();
  const add = (range: ts.CommentRange) => {
    if (seen.has(range.pos)) return;
    seen.add(range.pos);
    found.push({ text: file.text.slice(range.pos, range.end), line: lineAt(file, range.pos) });
  };
  const visit = (node: ts.Node) => {
    if (ts.isJsxText(node) || ts.isJSDoc(node)) return;
    if (node.getChildCount(file) > 0) {
      node.getChildren(file).forEach(visit);
      return;
    }
    ts.getLeadingCommentRanges(file.text, node.getFullStart())?.forEach(add);
    ts.getTrailingCommentRanges(file.text, node.getFullStart())?.forEach(add);
  };
  visit(file);
  return found.sort((a, b) => a.line - b.line);
}
