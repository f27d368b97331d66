import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createNode, keyValueStore } from "@octopii/core";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { readNodeConfig } from "../src/config/node-config.js";
import { findFreePorts } from "../src/dev/ports.js";
import { openInbox } from "../src/lane/inbox.js";
import { size } from "../src/lane/progress.js";
import { run } from "../src/program.js";
import { temporaryDirectory } from "./support/directories.js";
import { octopii } from "./support/in-process.js";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const house = temporaryDirectory();
const path = (...names: string[]): string => join(house, ...names);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const small = new TextEncoder().encode("hello");
const large = new Uint8Array(3_000_000).map((_, at) => (at * 7) >> 2);

/** A configuration that names who we are. */
function configure(name: string, certificate: string, changes: object = {}): string {
  const files = { certificate: `${certificate}.pem`, privateKey: `${certificate}.key`, authorities: "authority/authority.pem" };
  writeFileSync(path(`${name}.json`), JSON.stringify({ cluster: "reef", transport: "tcp", ...files, ...changes }));
  return path(`${name}.json`);
}

beforeAll(async () => {
  for (const [cluster, authority] of [
    ["reef", "authority"],
    ["shoal", "other"],
  ] as const) {
    await octopii("certs", "init", "--cluster", cluster, "--authority", path(authority));
  }
  await octopii("certs", "issue", "--node", "9", "--authority", path("authority"), "--out", house);
  await octopii("certs", "issue", "--client", "laptop", "--authority", path("authority"), "--out", house);
  await octopii("certs", "issue", "--client", "stranger", "--authority", path("other"), "--out", house);
  configure("receiver", "node-9");
  configure("client", "laptop");
  configure("stranger", "stranger", { cluster: "shoal", authorities: "other/authority.pem" });
  writeFileSync(path("small.txt"), small);
  writeFileSync(path("large.bin"), large);
});

/** Runs `octopii receive` in this process, and gives its address once it has told it. */
async function receive(...args: string[]) {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough(), stdin: new PassThrough() };
  const output = { stdout: "", stderr: "" };
  const config = ["--config", path("receiver.json"), "--listen", "127.0.0.1:0", "--json"];
  const ended = run(["receive", ...config, ...args], { ...streams, env: {} } as unknown as Parameters<typeof run>[1]);
  streams.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const address = await new Promise<string>((resolve, reject) => {
    streams.stdout.on("data", (chunk: Buffer) => {
      output.stdout += chunk.toString();
      const [, found] = /"event":"listening","address":"([^"]+)"/.exec(output.stdout) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then((code) => reject(new Error(`It ended with ${code}: ${output.stderr}`)));
  });
  const events = (): unknown[] =>
    output.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  return { address, ended, events, output };
}

const send = (...args: string[]) => octopii("send", "--config", path("client.json"), ...args);

describe("octopii send and octopii receive", () => {
  it("bring files from one to the other, and end when they should", async () => {
    const inbox = path("inbox");
    const receiver = await receive("--directory", inbox, "--count", "3");
    const first = await send(path("small.txt"), path("large.bin"), "--to", receiver.address);
    expect(first).toMatchObject({ code: 0, stdout: `${sha256(small)}  small.txt\n${sha256(large)}  large.bin\n` });
    expect(first.stderr).toMatch(/^small\.txt is at node-9: 5 B in .* s\nlarge\.bin is at node-9: 2\.9 MiB in .* s\n$/);
    const second = await send(path("small.txt"), "--to", receiver.address, "--name", "again.txt", "--json");
    expect(second.code).toBe(0);
    const told = JSON.parse(second.stdout) as object;
    expect(told).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: "again.txt",
      bytes: 5,
      checksum: sha256(small),
      peer: "node-9",
      nodeId: 9,
      durationMs: expect.any(Number),
    });
    expect(await receiver.ended).toBe(0);
    expect(readdirSync(inbox).sort()).toEqual(["again.txt", "large.bin", "small.txt"]);
    expect(sha256(readFileSync(join(inbox, "large.bin")))).toBe(sha256(large));
    expect(receiver.events()).toEqual([
      { event: "listening", address: receiver.address },
      ...["small.txt", "large.bin", "again.txt"].map((name) =>
        expect.objectContaining({ event: "received", name, peer: "laptop", nodeId: null, path: join(inbox, name) }),
      ),
    ]);
    expect(receiver.output.stderr).toContain("again.txt came from laptop: 5 B");
  });

  it("say on both sides why a file is not taken, with exit code 1, and go on", async () => {
    const inbox = path("strict");
    mkdirSync(inbox);
    writeFileSync(join(inbox, "small.txt"), "mine");
    const receiver = await receive("--directory", inbox, "--max-bytes", "1000", "--count", "1");
    const exists = await send(path("small.txt"), "--to", receiver.address);
    expect(exists).toMatchObject({ code: 1, stdout: "" });
    expect(exists.stderr).toBe("octopii: node-9 did not take the transfer: a file of that name is there already.\n");
    const tooLarge = await send(path("large.bin"), "--to", receiver.address);
    expect(tooLarge).toMatchObject({ code: 1, stderr: expect.stringContaining("it has 3000000 bytes, and at most 1000 are received.") });
    expect((await send(path("small.txt"), "--to", receiver.address, "--name", "b")).code).toBe(0);
    expect(await receiver.ended).toBe(0);
    expect(receiver.events().slice(1, 3)).toEqual([
      { event: "failed", name: "small.txt", peer: "laptop", code: "OCTOPII_LANE_EXISTS" },
      { event: "failed", name: "large.bin", peer: "laptop", code: "OCTOPII_LANE_TOO_LARGE" },
    ]);
    expect(readFileSync(join(inbox, "small.txt"), "utf8")).toBe("mine");
  });

  it("replace files when told to", async () => {
    const inbox = path("replacing");
    mkdirSync(inbox);
    writeFileSync(join(inbox, "small.txt"), "old");
    const receiver = await receive("--directory", inbox, "--replace", "--count", "1");
    expect((await send(path("small.txt"), "--to", receiver.address)).code).toBe(0);
    expect(await receiver.ended).toBe(0);
    expect(readFileSync(join(inbox, "small.txt"), "utf8")).toBe("hello");
  });

  it("end with 2 for bad input, and with 1 when nobody is there", async () => {
    const [port = 0] = await findFreePorts(1);
    const nobody = await send(path("small.txt"), "--to", `127.0.0.1:${port}`);
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining(`Nobody answers at 127.0.0.1:${port}; see that`) });
    expect(await send(path("small.txt"), "--to", "nonsense")).toMatchObject({ code: 2 });
    const receiver = await receive("--directory", path("unused"), "--count", "1");
    expect(await send(path("missing"), "--to", receiver.address)).toMatchObject({
      code: 2,
      stderr: `octopii: There is no file at ${path("missing")}; check the path.\n`,
    });
    const stranger = await octopii("send", path("small.txt"), "--to", receiver.address, "--config", path("stranger.json"));
    expect(stranger.code).toBe(2);
    expect(await octopii("send", path("small.txt"), "--to", receiver.address, "--config", path("nowhere.json"))).toMatchObject({ code: 2 });
    const second = await octopii("receive", "--config", path("receiver.json"), "--listen", receiver.address, "--directory", path("unused"));
    expect(second).toMatchObject({ code: 2, stderr: expect.stringContaining(`Another program listens on ${receiver.address} already`) });
    const notADirectory = ["--listen", "127.0.0.1:0", "--directory", path("small.txt")];
    expect(await octopii("receive", "--config", path("receiver.json"), ...notADirectory)).toMatchObject({ code: 2 });
    expect((await send(path("small.txt"), "--to", receiver.address)).code).toBe(0);
    expect(await receiver.ended).toBe(0);
  });

  it("work with a live node that has an inbox", async () => {
    const [port = 0] = await findFreePorts(1);
    const config = configure("node", "node-9", {
      id: 9,
      directory: "data",
      members: [{ id: 9, address: `127.0.0.1:${port}` }],
      tickMs: 10,
    });
    const onOffer = await openInbox(path("node-inbox"), { replace: false, maxBytes: null }, () => undefined);
    const node = createNode(readNodeConfig(config), { stateMachine: keyValueStore(), onOffer });
    await node.start();
    try {
      expect(await send(path("large.bin"), "--to", `127.0.0.1:${port}`)).toMatchObject({ code: 0 });
      expect(sha256(readFileSync(path("node-inbox", "large.bin")))).toBe(sha256(large));
    } finally {
      await node.close();
    }
  });
});

describe("sizes for people", () => {
  it.each([
    [0, "0 B"],
    [1_023, "1023 B"],
    [1_024, "1.0 KiB"],
    [150_000, "146 KiB"],
    [68_719_476_736, "64.0 GiB"],
  ])("%i is %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });
});
