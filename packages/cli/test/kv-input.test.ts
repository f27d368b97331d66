import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "./support/directories.js";
import { octopii, octopiiWithInput } from "./support/in-process.js";
import { type LossyNode, openLossyNode } from "./support/lossy-node.js";

const directory = temporaryDirectory();
const tooLarge = /^octopii: The value has more than 16777216 bytes, .*; store it in parts\.\n$/;
let node: LossyNode;

beforeAll(async () => {
  node = await openLossyNode(directory);
});
afterAll(() => node?.close());

describe("octopii kv put --file", () => {
  const put = (file: string): ReturnType<typeof octopii> => octopii("kv", "put", "key", "--file", file, "--config", node.config);

  it("stores a file, and standard input", async () => {
    const path = join(directory, "value");
    writeFileSync(path, "from a file");
    expect(await put(path)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await octopii("kv", "get", "key", "--config", node.config)).toMatchObject({ code: 0, stdout: "from a file" });
    const stdin = new PassThrough();
    stdin.end("from a pipe");
    expect(await octopiiWithInput(stdin, "kv", "put", "key", "--file", "-", "--config", node.config)).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(await octopii("kv", "get", "key", "--config", node.config)).toMatchObject({ code: 0, stdout: "from a pipe" });
  });

  it("refuses a file that cannot be read, in one sentence", async () => {
    const folder = join(directory, "folder");
    mkdirSync(folder);
    const sentence = (path: string, reason: string): object => ({
      code: 2,
      stdout: "",
      stderr: `octopii: ${path} ${reason}; give --file the path of a file.\n`,
    });
    expect(await put(join(directory, "gone"))).toEqual(sentence(join(directory, "gone"), "does not exist"));
    expect(await put(folder)).toEqual(sentence(folder, "is a directory"));
  });

  it("refuses what no node takes, before it is in memory", async () => {
    const path = join(directory, "huge");
    writeFileSync(path, "");
    truncateSync(path, 3 * 2 ** 30);
    const { code, stderr } = await put(path);
    expect(stderr).toMatch(tooLarge);
    expect(code).toBe(2);
  });

  it("stops to read an input that is too long", async () => {
    const endless = new PassThrough();
    const chunk = Buffer.alloc(1024 * 1024);
    let chunks = 0;
    const feed = (): void => {
      while (!endless.destroyed && chunks < 1_000 && endless.write(chunk)) chunks += 1;
      chunks += 1;
    };
    endless.on("drain", feed);
    feed();
    const { code, stderr } = await octopiiWithInput(endless, "kv", "put", "key", "--file", "-", "--config", node.config);
    expect(stderr).toMatch(tooLarge);
    expect(code).toBe(2);
    expect(chunks).toBeLessThan(100);
  });
});

describe("octopii kv del", () => {
  it("ends with the same code whether it prints JSON or not", async () => {
    const del = (...more: string[]): ReturnType<typeof octopii> => octopii("kv", "del", "nothing", "--config", node.config, ...more);
    const stderr = 'octopii: There is no "nothing".\n';
    expect(await del()).toEqual({ code: 1, stdout: "", stderr });
    expect(await del("--json")).toEqual({ code: 1, stdout: '{"key":"nothing","existed":false}\n', stderr });
  });
});

describe("octopii kv without a cluster", () => {
  it("says how to get one", async () => {
    const back = process.cwd();
    process.chdir(directory);
    try {
      const { code, stderr } = await octopii("kv", "get", "key");
      expect(stderr).toBe(
        "octopii: The configuration cannot be read: .octopii/dev/client.json does not exist; run octopii dev in this directory, or give --config FILE.\n",
      );
      expect(code).toBe(2);
    } finally {
      process.chdir(back);
    }
  });
});
