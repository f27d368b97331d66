import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Arrows, inspectArrows } from "../check/arrows.js";
import { repositoryRoot } from "../lib/root.js";
import { builtEntries, sourceOf, workspacePackages } from "../lib/workspace.js";

/** File → source and the rules that must refuse it; none for what is allowed. */
interface Seed {
  readonly text: string;
  readonly rules: readonly string[];
}

const value = (specifier: string) => `import * as it from "${specifier}";\nexport const kept: unknown = it;\n`;
const type = (specifier: string) => `import type * as it from "${specifier}";\nexport type Kept = typeof it;\n`;
const inline = (specifier: string) => `export type Inline = typeof import("${specifier}");\n`;
const lazy = (specifier: string) => `export const load = (): Promise<unknown> => import("${specifier}");\n`;
const all = (...names: string[]) => names.map((name) => `import "@octopii/${name}";\n`).join("");
const refused = (text: string, ...rules: string[]): Seed => ({ text, rules });
const allowed = (text: string): Seed => ({ text, rules: [] });

const seeds: Record<string, Seed> = {
  // A leaf and the rest of the house.
  "packages/raft/src/leaf-to-leaf.ts": refused(value("@octopii/walrus"), "arrow-raft"),
  "packages/raft/src/leaf-to-leaf-type.ts": refused(type("@octopii/walrus"), "arrow-raft"),
  "packages/raft/src/leaf-to-leaf-lazy.ts": refused(lazy("@octopii/walrus"), "arrow-raft"),
  "packages/rpc/src/leaf-to-core.ts": refused(value("@octopii/core"), "arrow-rpc"),
  "packages/walrus/src/leaf-to-testing.ts": refused(value("@octopii/testing"), "arrow-walrus"),
  "packages/shipping-lane/src/leaf-to-rpc.ts": refused(value("@octopii/rpc"), "arrow-shipping-lane"),
  "packages/transport-tcp/src/leaf-to-transport.ts": refused(value("@octopii/transport-quic"), "arrow-transport-tcp"),
  "packages/transport-quic/src/leaf-to-certificates.ts": refused(value("@octopii/certificates"), "arrow-transport-quic"),
  "packages/certificates/src/leaf-to-cli.ts": refused(value("@octopii/cli"), "arrow-certificates"),
  "packages/streams/src/leaf-to-transport.ts": refused(value("@octopii/transport-tcp"), "arrow-streams"),
  "packages/raft/src/leaf-to-system.ts": allowed(value("@octopii/system")),
  // interfaces: types, from everywhere; itself it needs nothing.
  "packages/raft/src/runtime-interfaces.ts": refused(value("@octopii/interfaces"), "interfaces-are-types"),
  "packages/raft/src/reexport-interfaces.ts": refused(`export * from "@octopii/interfaces";\n`, "interfaces-are-types"),
  "packages/core/src/runtime-interfaces.ts": refused(value("@octopii/interfaces"), "interfaces-are-types"),
  "packages/raft/src/type-interfaces.ts": allowed(type("@octopii/interfaces")),
  "packages/raft/src/typeof-interfaces.ts": allowed(inline("@octopii/interfaces")),
  "packages/raft/src/type-then-value.ts": refused(type("@octopii/interfaces") + value("@octopii/interfaces"), "interfaces-are-types"),
  "packages/raft/src/value-then-type.ts": refused(value("@octopii/interfaces") + type("@octopii/interfaces"), "interfaces-are-types"),
  "packages/raft/src/lazy-interfaces.ts": refused(lazy("@octopii/interfaces"), "interfaces-are-types"),
  "packages/interfaces/src/to-system.ts": refused(type("@octopii/system"), "arrow-interfaces"),
  "packages/interfaces/src/to-node.ts": refused(type("node:net"), "interfaces-need-nothing"),
  // testing and system see the ports alone.
  "packages/testing/src/testing-to-core.ts": refused(value("@octopii/core"), "arrow-testing"),
  "packages/testing/src/testing-to-raft.ts": refused(type("@octopii/raft"), "arrow-testing"),
  "packages/testing/src/testing-to-system.ts": refused(value("@octopii/system"), "arrow-testing"),
  "packages/system/src/system-to-raft.ts": refused(value("@octopii/raft"), "arrow-system"),
  // core: leaves directly, transports only when they are used.
  "packages/core/src/core-to-leaves.ts": allowed(all("raft", "walrus", "rpc", "shipping-lane", "certificates", "system")),
  "packages/core/src/core-to-transport.ts": refused(value("@octopii/transport-quic"), "lazy-core"),
  "packages/core/src/core-to-transport-lazy.ts": allowed(lazy("@octopii/transport-quic") + type("@octopii/transport-tcp")),
  "packages/core/src/core-to-transport-both.ts": allowed(inline("@octopii/transport-quic") + lazy("@octopii/transport-quic")),
  "packages/core/src/core-to-transport-mixed.ts": refused(
    inline("@octopii/transport-quic") + value("@octopii/transport-quic"),
    "lazy-core",
  ),
  "packages/core/src/core-to-testing.ts": refused(value("@octopii/testing"), "arrow-core"),
  "packages/core/src/core-to-simulator.ts": refused(value("@octopii/simulator"), "arrow-core"),
  "packages/cli/src/cli-to-any.ts": allowed(value("@octopii/core") + lazy("@octopii/simulator")),
  "packages/simulator/src/simulator-to-any.ts": allowed(value("@octopii/core") + lazy("@octopii/testing")),
  // The registry.
  "packages/walrus/src/listed-npm.ts": allowed(value("xxhash-wasm")),
  "packages/raft/src/other-npm.ts": refused(value("xxhash-wasm"), "npm-raft"),
  "packages/interfaces/src/other-npm.ts": refused(type("xxhash-wasm"), "npm-interfaces"),
  "packages/cli/src/other-npm.ts": refused(value("xxhash-wasm"), "npm-cli"),
  "packages/core/src/optional-lmdb.ts": allowed(lazy("lmdb")),
  "packages/core/src/missing-npm.ts": refused(value("left-pad-of-nobody"), "resolvable"),
  // Other packages' files.
  "packages/core/src/deep-relative.ts": refused(value("../../raft/src/inner.js"), "no-deep-import"),
  "packages/core/src/entry-relative.ts": refused(value("../../raft/src/index.js"), "no-deep-import"),
  "packages/core/src/deep-by-name.ts": refused(value("@octopii/raft/src/inner.js"), "resolvable"),
  "packages/core/src/deep-dist.ts": refused(value("@octopii/raft/dist/inner.js"), "resolvable"),
  "packages/raft/src/source-to-test.ts": refused(value("../test/inner.test.js"), "arrow-raft", "source-without-tests"),
  "packages/raft/src/source-to-script.ts": refused(value("../../../scripts/tool.js"), "source-without-tests"),
  // Tests.
  "packages/raft/test/inner.test.ts": allowed(all("testing", "certificates", "transport-quic", "transport-tcp") + value("../src/inner.js")),
  "packages/raft/test/leaf.test.ts": refused(value("@octopii/walrus"), "test-arrow-raft"),
  "packages/raft/test/runtime-interfaces.test.ts": refused(value("@octopii/interfaces"), "interfaces-are-types"),
  "packages/raft/test/deep.test.ts": refused(value("../../testing/src/inner.js"), "no-deep-import"),
  "packages/testing/test/core.test.ts": refused(value("@octopii/core"), "test-arrow-testing"),
  "packages/core/test/leaves.test.ts": allowed(value("@octopii/walrus") + lazy("@octopii/testing")),
  // Outside the packages.
  "examples/wal/src/main.ts": allowed(value("@octopii/walrus") + lazy("./other.js")),
  "examples/wal/src/other.ts": refused(value("../../../packages/walrus/src/index.js"), "no-deep-import-outside"),
  "examples/wal/src/neighbour.ts": refused(value("../../../scripts/tool.js"), "examples-are-users"),
  "bench/src/deep.ts": refused(value("../../packages/walrus/src/inner.js"), "no-deep-import-outside"),
  "scripts/tool.ts": allowed(value("../packages/raft/src/inner.js")),
  // Cycles (each is told once, at its first file), and a package that the table does not know.
  "packages/raft/src/cycle-a.ts": refused(value("./cycle-b.js"), "no-cycle"),
  "packages/raft/src/cycle-b.ts": allowed(value("./cycle-a.js")),
  "packages/raft/src/type-cycle-a.ts": allowed(type("./type-cycle-b.js")),
  "packages/raft/src/type-cycle-b.ts": allowed(value("./type-cycle-a.js")),
  "packages/newcomer/src/index.ts": refused(value("@octopii/raft"), "known-package"),
};

let root = "";
let seen: Arrows;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** The real manifests around sources of one line each, and one package of the registry that all of them can reach. */
function layHouse(): void {
  for (const { folder, directory, manifest } of workspacePackages(repositoryRoot)) {
    mkdirSync(join(root, "packages", folder), { recursive: true });
    cpSync(join(directory, "package.json"), join(root, "packages", folder, "package.json"));
    for (const { file } of builtEntries(manifest)) write(`packages/${folder}/${sourceOf(file)}`, "export {};\n");
    write(`packages/${folder}/src/inner.ts`, "export const inner = 1;\n");
  }
  write("packages/newcomer/package.json", `{ "name": "@octopii/newcomer", "version": "0.0.0", "type": "module" }\n`);
  write("package.json", `{ "name": "house", "private": true, "type": "module" }\n`);
  mkdirSync(join(root, "node_modules"));
  symlinkSync(join(repositoryRoot, "packages/walrus/node_modules/xxhash-wasm"), join(root, "node_modules/xxhash-wasm"));
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "octopii-arrows-"));
  layHouse();
  for (const [path, { text }] of Object.entries(seeds)) write(path, text);
  seen = await inspectArrows(root);
}, 60_000);

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("the arrows between packages", () => {
  it.each(Object.entries(seeds))("%s", (path, { rules }) => {
    const broken = seen.violations.filter(({ from }) => from === path).map(({ rule }) => rule);
    expect([...new Set(broken)].sort()).toEqual([...rules].sort());
  });

  it("blames no file but the seeds", () => {
    const others = seen.violations.map(({ from }) => from).filter((path) => seeds[path] === undefined);
    expect(others).toEqual([]);
  });

  it("reads every TypeScript file, and imports in them", () => {
    expect(seen.unread).toEqual([]);
    expect(seen.files).toBeGreaterThan(Object.keys(seeds).length);
    expect(seen.imports).toBeGreaterThan(Object.keys(seeds).length);
  });
});
