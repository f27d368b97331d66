import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DevCluster } from "../src/dev/cluster.js";
import { Shell } from "../src/dev/shell.js";
import { plain } from "../src/dev/text.js";
import { temporaryDirectory } from "./support/directories.js";
import { octopii } from "./support/in-process.js";
import { type LossyNode, openLossyNode } from "./support/lossy-node.js";

const directory = temporaryDirectory();
let node: LossyNode;

beforeAll(async () => {
  node = await openLossyNode(directory);
});
afterAll(() => node?.close());
beforeEach(() => node.loseAnswers(0));

const kv = (...words: string[]): ReturnType<typeof octopii> => octopii("kv", ...words, "--config", node.config);

describe("octopii kv, when the answer is lost", () => {
  it("does not put again, and says that nobody knows", async () => {
    const before = node.changes;
    node.loseAnswers(1);
    expect(await kv("put", "colour", "green")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        'octopii: It is unknown whether "colour" was stored: no clear answer came, so it may have happened, or happen later; "octopii kv get colour" shows what is there.\n',
    });
    expect(node.changes).toBe(before + 1);
    expect(await kv("get", "colour")).toMatchObject({ code: 0, stdout: "green" });
  });

  it("does not call a key missing that it may just have removed", async () => {
    await kv("put", "a key", "1");
    const before = node.changes;
    node.loseAnswers(1);
    const { code, stdout, stderr } = await kv("del", "a key", "--json");
    expect(stderr).toMatch(/^octopii: It is unknown whether "a key" was removed: .*"octopii kv get KEY" shows what is there\.\n$/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '{"key":"a key","outcome":"unknown"}\n' });
    expect(node.changes).toBe(before + 1);
  });
});

describe("the shell, when the answer is lost", () => {
  async function execute(line: string): Promise<string> {
    const printed: string[] = [];
    const output = {
      paint: plain,
      columns: () => 200,
      print: (lines: readonly string[]) => printed.push(...lines),
      status: () => undefined,
    };
    const cluster = { client: node.client, members: node.members, report: () => [] } as unknown as DevCluster;
    await new Shell(cluster, output, () => undefined).execute(line);
    return printed.join("\n");
  }

  it("puts again, and says so", async () => {
    node.loseAnswers(1);
    const before = node.changes;
    expect(await execute("put colour red")).toMatch(
      /^ {2}stored 3 B under "colour" \(sent again: the outcome of the first try was unknown\) {2}[\d.]+ m?s$/,
    );
    expect(node.changes).toBe(before + 2);
    expect(await execute("put colour red")).toMatch(/^ {2}replaced 3 B under "colour" {2}[\d.]+ m?s$/);
  });

  it("removes again, and does not claim that there was nothing", async () => {
    await execute("put colour red");
    node.loseAnswers(1);
    expect(await execute("del colour")).toMatch(/^ {2}removed "colour", or it was not there \(sent again: .* unknown\) {2}[\d.]+ m?s$/);
    expect(await execute("del colour")).toMatch(/^ {2}there is no "colour" {2}/);
  });

  it("reads again without a word", async () => {
    await execute("put colour red");
    expect(await execute("get colour")).toMatch(/^ {2}red {2}/);
  });
});
