import type { Options } from "tsup";

/** What every package's build shares. Declarations come from `tsc -b`, which understands project references; tsup's own do not. */
export const base: Options = {
  format: ["esm"],
  target: "node20",
  platform: "node",
  sourcemap: true,
  clean: false,
  dts: false,
  splitting: true,
  silent: true,
  removeNodeProtocol: false,
  // @octopii/system is private to the workspace: each package carries the few lines of it that it uses.
  noExternal: ["@octopii/system"],
};
