/**
 * Which package may import which (docs/ARCHITECTURE.md draws it). `pnpm check` runs it by scripts/check/arrows.ts, and
 * scripts/test/arrows.test.ts proves that every rule bites.
 *
 * packages: workspace packages; lazy: those only by `import()` or as types; npm: packages from the registry.
 * Every package may import the types of `interfaces`, and all but two may import `system`, whose code their builds carry inside.
 */
const arrows = {
  interfaces: { system: false },
  system: { system: false },
  testing: { system: false },
  raft: {},
  walrus: { npm: ["xxhash-wasm"] },
  "transport-quic": { npm: ["@matrixai/quic"] },
  "transport-tcp": {},
  certificates: { npm: ["@peculiar/x509", "reflect-metadata"] },
  rpc: { npm: ["cbor-x"] },
  "shipping-lane": {},
  streams: { system: false },
  core: {
    packages: ["raft", "walrus", "rpc", "shipping-lane", "certificates"],
    lazy: ["transport-quic", "transport-tcp"],
    npm: ["lmdb", "piscina"],
  },
  cli: { packages: ["[^/]+"] },
  simulator: { packages: ["[^/]+"] },
};

/** What the tests of every package may import besides what the package itself may. */
const forTests = ["testing", "certificates", "transport-quic", "transport-tcp", "system"];

/** `import type` and `typeof import()`: gone when the program runs. */
const types = ["type-only", "type-import"];

const either = (names) => `(${names.join("|")})`;
const sources = (names) => `^packages/${either(names)}/(src|dist)/`;

function rulesOf(name) {
  const { packages = [], lazy = [], npm = [], system = true } = arrows[name];
  const allowed = [name, "interfaces", ...packages, ...lazy, ...(system ? ["system"] : [])];
  const from = { path: `^packages/${name}/src/` };
  const rules = [
    {
      name: `arrow-${name}`,
      comment: `packages/${name} may import only ${allowed.slice(1).join(", ")}`,
      severity: "error",
      from,
      to: { path: "^packages/", pathNot: sources(name === "interfaces" ? [name] : allowed) },
    },
    {
      name: `npm-${name}`,
      comment: `packages/${name} may import ${npm.length === 0 ? "nothing" : npm.join(", ")} from the registry`,
      severity: "error",
      from,
      to: { path: "node_modules/", ...(npm.length > 0 && { pathNot: `node_modules/${either(npm)}/` }) },
    },
    {
      name: `test-arrow-${name}`,
      comment: `tests of packages/${name} may import what the package may, and ${forTests.join(", ")}`,
      severity: "error",
      from: { path: `^packages/${name}/test/` },
      to: { path: "^packages/", pathNot: [sources([...allowed, ...forTests]), `^packages/${name}/`] },
    },
  ];
  if (lazy.length > 0) {
    rules.push({
      name: `lazy-${name}`,
      comment: `packages/${name} must run without its optional peers: load them by import() on first use`,
      severity: "error",
      from,
      to: { path: sources(lazy), dynamic: false, dependencyTypesNot: types },
    });
  }
  return rules;
}

module.exports = {
  forbidden: [
    ...Object.keys(arrows).flatMap(rulesOf),
    {
      name: "known-package",
      comment: "a new package needs its line in the table of .dependency-cruiser.cjs",
      severity: "error",
      from: { path: "^packages/", pathNot: `^packages/${either(Object.keys(arrows))}/` },
      to: {},
    },
    {
      name: "interfaces-are-types",
      comment: "@octopii/interfaces has no code: write `import type`",
      severity: "error",
      from: { pathNot: "^packages/interfaces/" },
      to: { path: "^packages/interfaces/", dependencyTypesNot: types },
    },
    {
      name: "interfaces-need-nothing",
      comment: "the shared ports are types of the language alone, whatever platform implements them",
      severity: "error",
      from: { path: "^packages/interfaces/src/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-deep-import",
      comment: "import another package by its name; its files are its own business",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: { path: "^packages/", pathNot: "^packages/$1/", dependencyTypesNot: ["aliased"] },
    },
    {
      name: "examples-are-users",
      comment: "an example imports published packages by name, as a user would",
      severity: "error",
      from: { path: "^examples/([^/]+)/" },
      to: { path: "^(packages/system|scripts|bench|examples)/", pathNot: "^examples/$1/" },
    },
    {
      name: "no-deep-import-outside",
      comment: "examples and benchmarks import packages by name",
      severity: "error",
      from: { path: "^(examples|bench)/" },
      to: { path: "^packages/", dependencyTypesNot: ["aliased"] },
    },
    {
      name: "source-without-tests",
      comment: "what ships never imports tests, scripts, examples or benchmarks",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: "^(packages/[^/]+/test|scripts|examples|bench)/" },
    },
    {
      name: "no-cycle",
      comment: "of two modules that import each other neither can be read, tested or loaded first; types alone may refer both ways",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: types } },
    },
    {
      name: "resolvable",
      comment: "the import leads nowhere: name it in package.json, or look at the target's `exports`",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^lmdb$" },
    },
  ],
  options: {
    // Imports of types are arrows too.
    tsPreCompilationDeps: true,
    parser: "tsc",
    doNotFollow: { path: ["node_modules", "(^|/)dist/"] },
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
