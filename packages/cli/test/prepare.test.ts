import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { layoutOf } from "../src/dev/layout.js";
import { findFreePorts } from "../src/dev/ports.js";
import { prepareCluster } from "../src/dev/prepare.js";
import { hashOf, temporaryDirectory } from "./support/directories.js";

type Json = Record<string, unknown>;

const request = { cluster: "dev", nodes: 2 };
const directory = temporaryDirectory();
const layout = layoutOf(directory);

const read = (path: string): Json => JSON.parse(readFileSync(path, "utf8")) as Json;
const edit = (path: string, changes: Json): void => writeFileSync(path, JSON.stringify({ ...read(path), ...changes }, null, 4));

beforeAll(async () => {
  expect((await prepareCluster(layout, request)).updates).toBeNull();
});

describe("preparing a development cluster again", () => {
  it("changes nothing where nothing differs", async () => {
    const before = hashOf(directory);
    const written = statSync(layout.node(1).config).mtimeMs;
    expect((await prepareCluster(layout, request)).updates).toBeNull();
    expect(hashOf(directory)).toBe(before);
    expect(statSync(layout.node(1).config).mtimeMs).toBe(written);
  });

  it("keeps what an operator has added and changed", async () => {
    edit(layout.node(1).config, { electionTicks: 20, tickMs: 50 });
    edit(layout.node(2).config, { entryBytesMax: 1_048_576 });
    edit(layout.client.config, { connectTimeoutMs: 1_500 });
    const before = hashOf(directory);
    expect((await prepareCluster(layout, request)).updates).toBeNull();
    expect(hashOf(directory)).toBe(before);
  });

  it("updates what it decides, says so, and keeps the rest", async () => {
    edit(layout.node(1).config, { electionTicks: 20, directory: "elsewhere" });
    const [basePort = 0] = await findFreePorts(2);
    const { members, updates } = await prepareCluster(layout, { ...request, basePort });
    expect(updates).toBe("Updated directory and members in node-1/config.json; members in node-2/config.json; addresses in client.json.");
    expect(members.map(({ address }) => address)).toEqual([`127.0.0.1:${basePort}`, `127.0.0.1:${basePort + 1}`]);
    expect(read(layout.node(1).config)).toMatchObject({ id: 1, electionTicks: 20, directory: "data", members });
    expect(read(layout.client.config)).toMatchObject({ addresses: members.map(({ address }) => address), connectTimeoutMs: 1_500 });
    expect((await prepareCluster(layout, request)).updates).toBeNull();
  });

  it("says so in a line of a terminal where only the ports have changed", async () => {
    const { updates } = await prepareCluster(layout, { ...request, basePort: "auto" });
    expect(updates).toBe("Updated members in node-{1,2}/config.json; addresses in client.json.");
  });

  it("writes anew what was removed", async () => {
    rmSync(layout.node(2).config);
    rmSync(layout.client.config);
    expect((await prepareCluster(layout, request)).updates).toBeNull();
    expect(read(layout.node(2).config)).toMatchObject({ id: 2, cluster: "dev" });
    expect(existsSync(layout.client.config)).toBe(true);
  });

  it.each([
    ["node-2/config.json", '{ "id": 2,', /it is not JSON.*; mend it, or remove it to have it written anew\.$/],
    ["client.json", "[]", /it must hold one JSON object; mend it, or remove it to have it written anew\.$/],
  ])("refuses %s that it cannot read, and leaves everything alone", async (name, text, sentence) => {
    const path = join(directory, name);
    const good = readFileSync(path);
    writeFileSync(path, text);
    const before = hashOf(directory);
    const error: unknown = await prepareCluster(layout, { ...request, basePort: "auto" }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "OCTOPII_CLI_CONFIGURATION_INVALID" });
    expect((error as Error).message).toMatch(sentence);
    expect((error as Error).message).toContain(path);
    expect(hashOf(directory)).toBe(before);
    writeFileSync(path, good);
  });
});
