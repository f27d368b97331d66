/** Finds what {@link bans} forbids, by the syntax tree and its scopes: comments, strings and names of one's own do not count. */
import ts from "typescript";
import { type Ban, bans, exceptions, type MemberRule, outsideTheBan } from "./bans.js";
import type { Finding } from "./finding.js";
import { bindSources } from "./syntax.js";

interface Use {
  readonly node: ts.Node;
  readonly ban: Ban;
  readonly what: string;
}

const globalBans = new Map(bans.flatMap((ban) => (ban.globals ?? []).map((name): [string, Ban] => [name, ban])));
const moduleBans = new Map(bans.flatMap((ban) => (ban.modules ?? []).map((name): [string, Ban] => [name, ban])));
const memberBans = byObject((ban) => ban.members);
const nameBans = byObject((ban) => ban.names);

function byObject(pick: (ban: Ban) => Readonly<Record<string, MemberRule>> | undefined): Map<string, [Ban, MemberRule][]> {
  const rules = new Map<string, [Ban, MemberRule][]>();
  for (const ban of bans) {
    for (const [object, rule] of Object.entries(pick(ban) ?? {})) rules.set(object, [...(rules.get(object) ?? []), [ban, rule]]);
  }
  return rules;
}

function refusing(rules: readonly [Ban, MemberRule][], name: string): Ban | undefined {
  return rules.find(([, rule]) => ("refused" in rule ? rule.refused.includes(name) : !rule.allowed.test(name)))?.[0];
}

/** Whether the ban holds for a file: not in adapters, nor in packages that are outside the ban altogether. */
function isUnderTheBan(path: string): boolean {
  const [room, folder = "", part, ...rest] = path.split("/");
  return room === "packages" && part === "src" && outsideTheBan[folder] === undefined && !rest.slice(0, -1).includes("adapters");
}

/** Holds the files, path → text, against the bans. */
export function inspectDeterminism(sources: ReadonlyMap<string, string>): Finding[] {
  const covered = new Map([...sources].filter(([path]) => isUnderTheBan(path)));
  const { files, checker } = bindSources(covered);
  return [...files].flatMap(([path, file]) => {
    const folder = path.split("/")[1] ?? "";
    const excused = new Set(exceptions.filter((entry) => entry.packageFolder === folder).map((entry) => entry.ban));
    return usesIn(file, checker)
      .filter(({ ban }) => !excused.has(ban.id))
      .map(({ node, ban, what }) => {
        const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
        return { where: `${path}:${line}`, rule: `ban/${ban.id}`, message: `${what} is not for library code; use ${ban.instead}` };
      });
  });
}

function usesIn(file: ts.SourceFile, checker: ts.TypeChecker): Use[] {
  const uses: Use[] = [];
  const visit = (node: ts.Node) => {
    if (isErased(node)) return;
    uses.push(...usesOfModules(node), ...(ts.isIdentifier(node) ? usesOfGlobals(node, checker) : []));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return uses;
}

/** Types leave no code behind. What a class extends does. */
function isErased(node: ts.Node): boolean {
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isHeritageClause(node)) return node.token === ts.SyntaxKind.ImplementsKeyword;
  if (ts.isExpressionWithTypeArguments(node)) return false;
  if (ts.isImportClause(node)) return node.phaseModifier === ts.SyntaxKind.TypeKeyword;
  if (ts.isImportSpecifier(node) || ts.isExportSpecifier(node)) return node.isTypeOnly;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  return ts.isTypeNode(node);
}

function usesOfGlobals(identifier: ts.Identifier, checker: ts.TypeChecker): Use[] {
  const name = identifier.text;
  const ban = globalBans.get(name);
  const rules = memberBans.get(name);
  if ((ban === undefined && rules === undefined) || !isGlobal(identifier, checker)) return [];
  if (ban !== undefined) return [{ node: identifier, ban, what: name }];
  const member = memberOf(identifier);
  const refused = rules === undefined ? undefined : member === null ? rules[0]?.[0] : refusing(rules, member);
  return refused === undefined
    ? []
    : [{ node: identifier, ban: refused, what: member === null ? `${name} as a value` : `${name}.${member}` }];
}

/** Whether an identifier reads a variable that nothing in its file declares. */
function isGlobal(identifier: ts.Identifier, checker: ts.TypeChecker): boolean {
  const { parent } = identifier;
  if (ts.isPropertyAccessExpression(parent) && parent.name === identifier) return false;
  if (ts.isBindingElement(parent) && parent.propertyName === identifier) return false;
  if ((ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) && parent.propertyName === identifier && isFromModule(parent))
    return false;
  if (ts.isExportSpecifier(parent) && isFromModule(parent)) return false;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent) || ts.isMetaProperty(parent)) return false;
  const symbol = ts.isShorthandPropertyAssignment(parent)
    ? checker.getShorthandAssignmentValueSymbol(parent)
    : ts.isExportSpecifier(parent)
      ? checker.getExportSpecifierLocalTargetSymbol(parent)
      : checker.getSymbolAtLocation(identifier);
  return (symbol?.declarations ?? []).length === 0;
}

function isFromModule(specifier: ts.ImportSpecifier | ts.ExportSpecifier): boolean {
  return ts.isImportSpecifier(specifier) || specifier.parent.parent.moduleSpecifier !== undefined;
}

/** The member that is read of an object, or null when the object itself goes somewhere where it cannot be followed. */
function memberOf(identifier: ts.Identifier): string | null {
  const { parent } = identifier;
  if (ts.isPropertyAccessExpression(parent)) return parent.name.text;
  if (ts.isElementAccessExpression(parent) && ts.isStringLiteralLike(parent.argumentExpression)) return parent.argumentExpression.text;
  // `new AbortSignal`, `x instanceof AbortSignal` and `typeof process` read no member.
  if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword) return "prototype";
  return null;
}

function usesOfModules(node: ts.Node): Use[] {
  if (ts.isImportDeclaration(node) && node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword) {
    return usesOfModule(node, node.moduleSpecifier, importedNames(node.importClause));
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    const names = node.exportClause !== undefined && ts.isNamedExports(node.exportClause) ? namesOf(node.exportClause.elements) : null;
    return usesOfModule(node, node.moduleSpecifier, names);
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return usesOfModule(node, node.arguments[0], null);
  return [];
}

function usesOfModule(node: ts.Node, specifier: ts.Expression | undefined, names: readonly string[] | null): Use[] {
  if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return [];
  const module = specifier.text.replace(/^node:/, "");
  const whole = moduleBans.get(module);
  if (whole !== undefined) return names?.length === 0 ? [] : [{ node, ban: whole, what: specifier.text }];
  const rules = nameBans.get(module) ?? [];
  if (names === null) return rules.map(([ban]) => ({ node, ban, what: `${specifier.text} as a whole (import what you need by name)` }));
  return names.flatMap((name) => {
    const ban = refusing(rules, name);
    return ban === undefined ? [] : [{ node, ban, what: `${name} of ${specifier.text}` }];
  });
}

/** The names that an import binds at run time, or null when it takes the module as a whole. */
function importedNames(clause: ts.ImportClause | undefined): string[] | null {
  if (clause === undefined || clause.name !== undefined) return null;
  const bindings = clause.namedBindings;
  return bindings !== undefined && ts.isNamedImports(bindings) ? namesOf(bindings.elements) : null;
}

function namesOf(elements: ts.NodeArray<ts.ImportSpecifier> | ts.NodeArray<ts.ExportSpecifier>): string[] {
  return [...elements].filter((element) => !element.isTypeOnly).map((element) => (element.propertyName ?? element.name).text);
}
