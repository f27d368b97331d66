import { createSocket } from "node:dgram";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, issueNodeCertificate } from "@octopii/certificates";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { hashOf, temporaryDirectory } from "../support/directories.js";
import { createLoneNode, fill, type LoneNode } from "../support/lone-node.js";
import { checkBuild, octopii, start } from "../support/program.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
const house = temporaryDirectory();
let node: LoneNode;

beforeAll(async () => {
  checkBuild();
  node = await createLoneNode(join(house, "node"));
  await fill(node, 20);
});

/** A copy of the node's data to do harm to; a path for the configuration, and where it is. */
function copyOfData(name: string): string {
  cpSync(node.data, join(node.directory, name), { recursive: true });
  return join(node.directory, name);
}

function segmentsOf(data: string): string[] {
  const log = join(data, "log");
  return readdirSync(log)
    .filter((name) => name.endsWith(".wal"))
    .sort()
    .map((name) => join(log, name));
}

function flipByte(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** Runs the node and expects what every bad input gets: one sentence, exit code 2, and not a byte changed. */
async function expectRefusal(config: string, sentence: RegExp): Promise<void> {
  const before = hashOf(node.directory);
  const { code, stdout, stderr } = await octopii("node", "--config", config);
  expect(stderr).toMatch(/^octopii: .+\n$/);
  expect(stderr).toMatch(sentence);
  expect(stdout).toBe("");
  expect(code).toBe(2);
  expect(hashOf(node.directory)).toBe(before);
}

describe("octopii node refuses", () => {
  it("a port in use", async () => {
    const config = node.configure("port", { directory: "never-made" });
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(node.port, "127.0.0.1", resolve));
    try {
      await expectRefusal(config, new RegExp(`Another program listens on 127\\.0\\.0\\.1:${node.port} already; stop it`));
    } finally {
      socket.close();
    }
  });

  it("a data directory of another node", async () => {
    const certificate = await issueNodeCertificate(node.authority, { cluster: "lone", nodeId: 2, name: "node-2" });
    writeFileSync(join(node.directory, "second.pem"), certificate.certificate);
    writeFileSync(join(node.directory, "second.key"), certificate.privateKey);
    const members = [{ id: 2, address: `127.0.0.1:${node.port}` }];
    const config = node.configure("node", { id: 2, members, certificate: "second.pem", privateKey: "second.key" });
    await expectRefusal(config, /data belongs to node 1 of cluster lone, not to node 2 of cluster lone; give each node a directory/);
  });

  it("a data directory of another cluster", async () => {
    const authority = await createAuthority({ cluster: "other" });
    const certificate = await issueNodeCertificate(authority, { cluster: "other", nodeId: 1, name: "node-1" });
    writeFileSync(join(node.directory, "other-authority.pem"), authority.certificate);
    writeFileSync(join(node.directory, "other.pem"), certificate.certificate);
    writeFileSync(join(node.directory, "other.key"), certificate.privateKey);
    const own = { certificate: "other.pem", privateKey: "other.key", authorities: "other-authority.pem" };
    const config = node.configure("cluster", { cluster: "other", ...own });
    await expectRefusal(config, /data belongs to node 1 of cluster lone, not to node 1 of cluster other/);
  });

  it("a certificate of another authority", async () => {
    const authority = await createAuthority({ cluster: "lone" });
    const certificate = await issueNodeCertificate(authority, { cluster: "lone", nodeId: 1, name: "node-1" });
    writeFileSync(join(node.directory, "stranger.pem"), certificate.certificate);
    writeFileSync(join(node.directory, "stranger.key"), certificate.privateKey);
    const config = node.configure("authority", { certificate: "stranger.pem", privateKey: "stranger.key" });
    await expectRefusal(config, /certificate was signed by another authority than the one given; issue it with this cluster's authority/);
  });

  it("a certificate of another node", async () => {
    const certificate = await issueNodeCertificate(node.authority, { cluster: "lone", nodeId: 7, name: "node-7" });
    writeFileSync(join(node.directory, "seven.pem"), certificate.certificate);
    writeFileSync(join(node.directory, "seven.key"), certificate.privateKey);
    const config = node.configure("seven", { certificate: "seven.pem", privateKey: "seven.key" });
    await expectRefusal(config, /the certificate is for node 7, not 1/);
  });

  it("a malformed configuration, with all its problems at once", async () => {
    const changes = { id: "one", tickMs: -1, electionTick: 5, privateKey: "missing.key", listenAddress: "nowhere", members: 3 };
    const problems = [
      'there is no option "electionTick" \\(did you mean electionTicks\\?\\)',
      "members must be a list such as .*, not 3",
      "privateKey: \\S*missing\\.key does not exist",
      'id must be a whole number above 0, not "one"',
      'listenAddress must be host:port, not "nowhere"',
      "tickMs must be above 0, not -1",
    ];
    await expectRefusal(node.configure("malformed", changes), new RegExp(`malformed\\.json cannot be used: ${problems.join("; ")}\\.`));
  });

  it("a configuration that is not JSON, and says where", async () => {
    const path = join(node.directory, "text.json");
    writeFileSync(path, '{\n  "id": 1,\n  "cluster" "lone"\n}\n');
    await expectRefusal(path, /text\.json cannot be used: it is not JSON, see line 3, column 13/);
  });

  it("a flipped byte in the middle of the log", async () => {
    const data = copyOfData("flipped");
    const [, second = ""] = segmentsOf(data);
    flipByte(second, 4_000);
    await expectRefusal(node.configure("flipped", { directory: "flipped" }), /0000000000000002\.wal is corrupt at offset \d+: .*restore/);
  });

  it("a flipped byte in the middle of a log that was not closed", async () => {
    const data = copyOfData("crashed");
    rmSync(join(data, "log", "closed.mark"));
    const [, second = ""] = segmentsOf(data);
    flipByte(second, 4_000);
    await expectRefusal(node.configure("crashed", { directory: "crashed" }), /0000000000000002\.wal is corrupt at offset \d+/);
  });

  it("a missing segment in the middle of the log", async () => {
    const data = copyOfData("missing");
    const [, second = ""] = segmentsOf(data);
    rmSync(second);
    await expectRefusal(node.configure("missing", { directory: "missing" }), /0000000000000002\.wal is missing: .* follows it\. .*restore/);
  });

  it("a log without the name of its owner", async () => {
    const data = copyOfData("nameless");
    rmSync(join(data, "node.json"));
    await expectRefusal(node.configure("nameless", { directory: "nameless" }), /holds a log but no node\.json/);
  });
});

describe("octopii dev refuses", () => {
  it("a remembered port that another program has taken", async () => {
    const directory = join(house, "dev");
    expect((await octopii("dev", "--once", "--nodes", "1", "--directory", directory)).code).toBe(0);
    const { nodes } = JSON.parse(readFileSync(join(directory, "cluster.json"), "utf8")) as { nodes: [{ port: number }] };
    const before = hashOf(directory);
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(nodes[0].port, "127.0.0.1", resolve));
    try {
      const { code, stderr } = await octopii("dev", "--once", "--directory", directory);
      expect(stderr).toMatch(/^octopii: 127\.0\.0\.1:\d+, the address of node 1, is used by another program; stop it, .*\n$/);
      expect(code).toBe(2);
    } finally {
      socket.close();
    }
    expect(hashOf(directory)).toBe(before);
    const other = await octopii("dev", "--once", "--nodes", "3", "--directory", directory);
    expect(other).toMatchObject({ code: 2, stderr: expect.stringMatching(/^octopii: .* holds a cluster of 1 nodes, .*\n$/) });
    expect(hashOf(directory)).toBe(before);
  });

  it("a damaged manifest, and a directory that cannot be made", async () => {
    const directory = join(house, "damaged");
    mkdirSync(directory);
    writeFileSync(join(directory, "cluster.json"), "{");
    const damaged = await octopii("dev", "--once", "--directory", directory);
    expect(damaged).toMatchObject({ code: 2, stderr: expect.stringMatching(/^octopii: .*cluster\.json is damaged; remove .*\n$/) });
    const below = await octopii("dev", "--once", "--directory", join(directory, "cluster.json", "below"));
    expect(below).toMatchObject({ code: 2, stderr: expect.stringMatching(/^octopii: The directory .* cannot be used: .*\n$/) });
  });

  it("a data directory of another cluster, in the node's own words", async () => {
    const directory = join(house, "foreign");
    expect((await octopii("dev", "--once", "--nodes", "1", "--directory", directory)).code).toBe(0);
    const identity = join(directory, "node-1", "data", "node.json");
    writeFileSync(identity, readFileSync(identity, "utf8").replace('"dev"', '"shop"'));
    const before = hashOf(join(directory, "node-1", "data"));
    const { code, stderr } = await octopii("dev", "--once", "--directory", directory);
    expect(stderr).toMatch(/^octopii: Node 1 did not start: .*belongs to node 1 of cluster shop, not to node 1 of cluster dev; give .*\n$/);
    expect(code).toBe(2);
    expect(hashOf(join(directory, "node-1", "data"))).toBe(before);
  });
});

describe("a node that stops by itself", () => {
  it("says why, and exits with 1", async () => {
    const own = await createLoneNode(join(house, "full"));
    await fill(own, 1);
    // No file may grow beyond 4 KiB: the next write that needs more fails, as on a full disk.
    const limited = ["sh", "-c", 'ulimit -f 8 && exec "$0" "$@"', process.execPath];
    const { child, ended, seen } = start(["node", "--config", own.configure("good", {})], null, [
      ...limited,
      join(import.meta.dirname, "../../dist/main.js"),
    ]);
    await seen(/takes part/);
    await fillUntilFull(own).catch(() => undefined);
    const { code, stderr } = await ended;
    child.kill();
    expect(stderr).toMatch(/octopii: Node 1 has stopped: .+\n$/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(1);
  });
});

async function fillUntilFull(node: LoneNode): Promise<void> {
  const { connect } = await import("../../src/config/client-config.js");
  const { keyValueClient } = await import("@octopii/core");
  const credentials = { ...node.client, authorities: node.authority.certificate };
  const client = connect({ cluster: "lone", addresses: [`127.0.0.1:${node.port}`], credentials });
  try {
    for (let i = 0; i < 20; i++) await keyValueClient(client).put(`key-${i}`, new Uint8Array(2 * 1024), { timeoutMs: 2_000 });
  } finally {
    await client.close();
  }
}
