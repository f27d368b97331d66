/** What every package of the workspace must have and say of itself. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { listFiles } from "../lib/files.js";
import { type Manifest, readJson, type WorkspacePackage, workspacePackages } from "../lib/workspace.js";
import type { Finding } from "./finding.js";
import { parse, walk } from "./syntax.js";

const nodeRange = ">=20.19";

/** Manifests, files and references of all packages, the group in which they are released, and that `interfaces` is types. */
export function inspectPackages(root: string): Finding[] {
  const packages = workspacePackages(root);
  return [
    ...packages.flatMap((one) => [...inspectManifest(one), ...inspectFiles(root, one), ...inspectReferences(root, one)]),
    ...inspectSolution(root, packages),
    ...inspectRelease(root, packages),
    ...inspectInterfaces(root),
  ];
}

function refusals(where: string, rule: string, checks: readonly (readonly [boolean, string])[]): Finding[] {
  return checks.filter(([good]) => !good).map(([, message]) => ({ where, rule, message }));
}

function inspectManifest({ folder, manifest }: WorkspacePackage): Finding[] {
  const repository = manifest.repository as { directory?: string; url?: string } | undefined;
  const engines = manifest.engines as { node?: string } | undefined;
  const shared: [boolean, string][] = [
    [manifest.name === `@octopii/${folder}`, `"name" must be "@octopii/${folder}", after its folder`],
    [typeof manifest.description === "string", `"description" is missing`],
    [manifest.type === "module", `"type" must be "module"`],
    [manifest.license === "Apache-2.0", `"license" must be "Apache-2.0"`],
    [manifest.sideEffects === false, `"sideEffects" must be false`],
    [engines?.node === nodeRange, `"engines.node" must be "${nodeRange}"`],
    [repository?.directory === `packages/${folder}`, `"repository.directory" must be "packages/${folder}"`],
    [manifest.exports?.["."] !== undefined, `"exports" needs an entry "."`],
    [manifest.exports?.["./package.json"] === "./package.json", `"exports" needs "./package.json"`],
    [!("main" in manifest || "types" in manifest || "module" in manifest), `"exports" says it all: drop "main", "module" and "types"`],
    ...Object.entries(manifest.exports ?? {}).map(([subpath, target]): [boolean, string] => [
      typeof target === "string" ? target.endsWith(".json") : Object.keys(target).join() === "types,default",
      `"exports" of "${subpath}" must be { "types", "default" }, in this order`,
    ]),
  ];
  return refusals(
    `packages/${folder}/package.json`,
    "manifest",
    manifest.private === true ? shared : [...shared, ...publicFields(manifest)],
  );
}

function publicFields(manifest: Manifest): [boolean, string][] {
  const files = manifest.files;
  const shipped = ["dist", "!dist/.tsbuildinfo", "src", "README.md", "LICENSE"];
  const publishing = manifest.publishConfig as { access?: string } | undefined;
  return [
    [Array.isArray(files) && shipped.join() === files.join(), `"files" must be ${JSON.stringify(shipped)}`],
    [publishing?.access === "public", `"publishConfig.access" must be "public"`],
    [manifest.dependencies?.["@octopii/system"] === undefined, `@octopii/system is built in, not depended upon: make it a devDependency`],
  ];
}

function inspectFiles(root: string, { folder, directory, manifest }: WorkspacePackage): Finding[] {
  const text = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : null);
  const readme = text(join(directory, "README.md"));
  return refusals(`packages/${folder}`, "package-files", [
    [
      manifest.private === true || text(join(directory, "LICENSE")) === text(join(root, "LICENSE")),
      "LICENSE must be a copy of the one at the root",
    ],
    [readme !== null, "README.md is missing"],
    [readme?.startsWith(`# ${manifest.name}\n`) ?? true, `README.md must begin with "# ${manifest.name}"`],
    [existsSync(join(directory, "tsup.config.ts")), "tsup.config.ts is missing"],
    [existsSync(join(directory, "tsconfig.json")), "tsconfig.json is missing"],
  ]);
}

interface TypeScriptConfig {
  readonly references?: readonly { readonly path: string }[];
}

/** Without a reference `tsc -b` would read what an earlier build left behind. */
function inspectReferences(root: string, { folder, directory }: WorkspacePackage): Finding[] {
  const config = join(directory, "tsconfig.json");
  if (!existsSync(config)) return [];
  const named = new Set((readJson<TypeScriptConfig>(config).references ?? []).map(({ path }) => path.replace("../", "")));
  const imported = new Set<string>();
  for (const path of listFiles(root, `packages/${folder}/src`, (file) => file.endsWith(".ts"))) {
    for (const specifier of importsOf(path, readFileSync(join(root, path), "utf8"))) {
      const other = /^@octopii\/([^/]+)/.exec(specifier)?.[1];
      if (other !== undefined && other !== folder) imported.add(other);
    }
  }
  const missing = [...imported].filter((other) => !named.has(other));
  return missing.map((other) => ({
    where: `packages/${folder}/tsconfig.json`,
    rule: "reference",
    message: `the source imports @octopii/${other}: add { "path": "../${other}" } to "references"`,
  }));
}

/** The modules that a file imports, types included. */
function importsOf(path: string, text: string): string[] {
  return ts.preProcessFile(text, true, path.endsWith(".js")).importedFiles.map(({ fileName }) => fileName);
}

function inspectSolution(root: string, packages: readonly WorkspacePackage[]): Finding[] {
  return ["tsconfig.json", "tsconfig.workspace.json"].flatMap((file) => {
    const named = new Set((readJson<TypeScriptConfig>(join(root, file)).references ?? []).map(({ path }) => path));
    const checks = packages.map(({ folder }): [boolean, string] => [
      named.has(`packages/${folder}`),
      `add { "path": "packages/${folder}" } to "references"`,
    ]);
    return refusals(file, "reference", checks);
  });
}

/** One version for all: every published package stands in the one fixed group. */
function inspectRelease(root: string, packages: readonly WorkspacePackage[]): Finding[] {
  const { fixed = [] } = readJson<{ fixed?: readonly (readonly string[])[] }>(join(root, ".changeset/config.json"));
  const covers = (pattern: string, name: string) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name);
  const published = packages.filter(({ manifest }) => manifest.private !== true);
  return refusals(".changeset/config.json", "release", [
    [fixed.length === 1, `"fixed" must hold one group`],
    ...published.map(({ manifest }): [boolean, string] => [
      fixed[0]?.some((pattern) => covers(pattern, manifest.name)) ?? false,
      `${manifest.name} is not in the fixed group`,
    ]),
  ]);
}

/** Declarations that leave code behind. */
const runtimeKinds = new Set([
  ts.SyntaxKind.ClassDeclaration,
  ts.SyntaxKind.EnumDeclaration,
  ts.SyntaxKind.FunctionDeclaration,
  ts.SyntaxKind.VariableStatement,
  ts.SyntaxKind.ExpressionStatement,
]);

function inspectInterfaces(root: string): Finding[] {
  return listFiles(root, "packages/interfaces/src", (path) => path.endsWith(".ts")).flatMap((path) => {
    const findings: Finding[] = [];
    const file = parse(path, readFileSync(join(root, path), "utf8"));
    walk(file, (node) => {
      if (!runtimeKinds.has(node.kind)) return;
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      findings.push({
        where: `${path}:${line}`,
        rule: "types-only",
        message: "interfaces holds types alone; code belongs to who needs it",
      });
    });
    return findings;
  });
}
