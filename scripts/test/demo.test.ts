import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareNode } from "../demo/comparing.js";
import { grouped } from "../demo/progress.js";
import { trackedFiles } from "../demo/tracked-files.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const files = ["a", "b", "c"].map((path) => ({ path, bytes: bytes(`text of ${path}`) }));
const { signal } = new AbortController();

/** A node that holds this and nothing else. */
function holding(entries: readonly (readonly [key: string, value: Uint8Array])[]) {
  const values = new Map(entries);
  return {
    keys: () => Promise.resolve([...values.keys()].sort()),
    get: (key: string) => Promise.resolve(values.get(key) ?? null),
  };
}

describe("the demo's comparison", () => {
  it("finds nothing where all is well", async () => {
    const kv = holding(files.map(({ path, bytes: value }) => [path, value]));
    expect(await compareNode(files, kv, 1, signal)).toEqual({ compared: 3, differences: [] });
  });

  it("finds what is missing, what differs by a byte, and what nobody stored", async () => {
    const kv = holding([
      ["a", bytes("text of a")],
      ["b", bytes("text of B")],
      ["d", bytes("stray")],
    ]);
    const { compared, differences } = await compareNode(files, kv, 2, signal);
    expect(compared).toBe(3);
    expect([...differences].sort()).toEqual(["node 2 has d, which was never stored", "node 2 has no c", "node 2 has other bytes in b"]);
  });

  it("tells an empty file from none", async () => {
    const empty = [{ path: "empty", bytes: new Uint8Array(0) }];
    expect((await compareNode(empty, holding([["empty", new Uint8Array(0)]]), 1, signal)).differences).toEqual([]);
    expect((await compareNode(empty, holding([]), 1, signal)).differences).toEqual(["node 1 has no empty"]);
  });
});

describe("the files that git tracks", () => {
  const root = mkdtempSync(join(tmpdir(), "octopii-tracked-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("are those of the working tree, links as their targets", () => {
    const git = (...args: string[]): Buffer => execFileSync("git", args, { cwd: root });
    git("init", "--quiet");
    mkdirSync(join(root, "folder"));
    writeFileSync(join(root, "folder", "näme with blanks"), "one");
    writeFileSync(join(root, "deleted"), "two");
    writeFileSync(join(root, "empty"), "");
    symlinkSync("folder", join(root, "link"));
    git("add", ".");
    writeFileSync(join(root, "untracked"), "three");
    rmSync(join(root, "deleted"));
    const found = trackedFiles(root).map(({ path, bytes: content }) => [path, Buffer.from(content).toString("utf8")]);
    expect(found).toEqual([
      ["empty", ""],
      ["folder/näme with blanks", "one"],
      ["link", "folder"],
    ]);
  });
});

describe("grouped digits", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1_000, "1,000"],
    [12_345_678.4, "12,345,678"],
  ])("of %d are %s", (value, text) => expect(grouped(value)).toBe(text));
});
