import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";
import { base } from "../../tsup.base.ts";

const license = readFileSync("node_modules/cbor-x/LICENSE", "utf8").trim();

export default defineConfig({
  ...base,
  entry: ["src/index.ts"],
  // cbor-x travels inside the bundle, and its licence with it: as a dependency it would bring an install script, which pnpm refuses.
  noExternal: [...(base.noExternal ?? []), /^cbor-x/],
  banner: { js: `/*!\nThis file contains parts of cbor-x, https://github.com/kriszyp/cbor-x\n\n${license}\n*/` },
});
