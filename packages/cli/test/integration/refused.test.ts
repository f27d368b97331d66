import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, type IssuedCertificate, issueClientCertificate, issueNodeCertificate } from "@octopii/certificates";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findFreePorts } from "../../src/dev/ports.js";
import { hashOf, temporaryDirectory } from "../support/directories.js";
import { createLoneNode, fill, type LoneNode } from "../support/lone-node.js";
import { checkBuild, octopii, type Run, start } from "../support/program.js";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const house = temporaryDirectory();
let node: LoneNode;
/** The authority of another cluster with the same name, and a client of it. */
let stranger: IssuedCertificate;
let strangersClient: IssuedCertificate;

beforeAll(async () => {
  checkBuild();
  node = await createLoneNode(join(house, "node"));
  await fill(node, 2);
  stranger = await createAuthority({ cluster: "lone" });
  strangersClient = await issueClientCertificate(stranger, { cluster: "lone", name: "guest" });
});

/** The configuration of a client. */
function clientOf(name: string, own: IssuedCertificate, authority: IssuedCertificate, changes: object = {}): string {
  const files = { certificate: `${name}.pem`, privateKey: `${name}.key`, authorities: `${name}-authority.pem` };
  writeFileSync(join(house, files.certificate), own.certificate);
  writeFileSync(join(house, files.privateKey), own.privateKey);
  writeFileSync(join(house, files.authorities), authority.certificate);
  const path = join(house, `${name}.json`);
  writeFileSync(path, JSON.stringify({ cluster: "lone", addresses: [`127.0.0.1:${node.port}`], ...files, ...changes }));
  return path;
}

describe("a client of another cluster", () => {
  let run: Run;

  beforeAll(async () => {
    run = start(["node", "--config", node.configure("good", {})]);
    await run.seen(/takes part/);
  });
  afterAll(async () => {
    run.child.kill("SIGTERM");
    await run.ended;
  });

  const cases = [
    [
      "refuses the cluster",
      () => clientOf("both", strangersClient, stranger),
      /The identity of 127\.0\.0\.1:\d+ is refused by this client: TLS alert/,
    ],
    [
      "is refused by it",
      () => clientOf("own", strangersClient, node.authority),
      /The identity of this client is refused by 127\.0\.0\.1:\d+: TLS alert/,
    ],
    [
      "expects another one",
      () => clientOf("name", node.client, node.authority, { cluster: "shop" }),
      /The identity of 127\.0\.0\.1:\d+ is refused by this client: 'node-1' belongs to cluster 'lone'/,
    ],
  ] as const;

  it.each(cases)("that %s is told so by status", async (_what, configure, sentence) => {
    const config = configure();
    const { code, stdout, stderr } = await octopii("status", "--config", config);
    expect(stdout).toMatch(/state\n .*127\.0\.0\.1:\d+ .* refused\n$/);
    expect(stderr).toMatch(new RegExp(`^octopii: ${sentence.source}.*certificate.*\\.\\n$`));
    expect(code).toBe(2);
    const json = await octopii("status", "--json", "--config", config);
    expect(JSON.parse(json.stdout)).toMatchObject({ leader: null, nodes: [{ state: "refused", role: null }] });
    expect(json).toMatchObject({ code: 2, stderr });
  });

  it.each(cases)("that %s is told so by kv, at once", async (_what, configure, sentence) => {
    const config = configure();
    for (const words of [
      ["put", "a", "b"],
      ["get", "a"],
    ]) {
      const began = performance.now();
      const { code, stdout, stderr } = await octopii("kv", ...words, "--config", config);
      expect(stderr).toMatch(new RegExp(`^octopii: ${sentence.source}.*\\.\\n$`));
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(performance.now() - began).toBeLessThan(5_000);
    }
  });

  it("hears it too where another member is down", async () => {
    const [free = 0] = await findFreePorts(1);
    const addresses = [`127.0.0.1:${node.port}`, `127.0.0.1:${free}`];
    const config = clientOf("down", strangersClient, stranger, { addresses, connectTimeoutMs: 300 });
    const status = await octopii("status", "--config", config);
    expect(status).toMatchObject({ code: 2, stdout: expect.stringMatching(/ refused\n.* down\n$/) });
    expect(await octopii("kv", "get", "a", "--config", config)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`refused by this client: .*; ${addresses[1]} cannot be reached; `)),
    });
  });

  it("does not keep one of this cluster from its work", async () => {
    const config = clientOf("good", node.client, node.authority);
    expect(await octopii("kv", "put", "a", "b", "--config", config)).toMatchObject({ code: 0, stderr: "" });
    expect(await octopii("status", "--config", config)).toMatchObject({ code: 0, stdout: expect.stringMatching(/ up\n$/) });
  });
});

describe("a node among members of another cluster", () => {
  it("says so once for each of them, and keeps trying", async () => {
    const [first = 0, second = 0] = await findFreePorts(2);
    const members = [first, second].map((port, i) => ({ id: i + 1, address: `127.0.0.1:${port}` }));
    const own = await createLoneNode(join(house, "first"));
    const other = await issueNodeCertificate(stranger, { cluster: "lone", nodeId: 2, name: "node-2" });
    writeFileSync(join(own.directory, "other.pem"), other.certificate);
    writeFileSync(join(own.directory, "other.key"), other.privateKey);
    writeFileSync(join(own.directory, "other-authority.pem"), stranger.certificate);
    const timing = { reconnectMinMs: 20, reconnectMaxMs: 50 };
    const files = { certificate: "other.pem", privateKey: "other.key", authorities: "other-authority.pem" };
    const configs = [
      own.configure("one", { members, ...timing }),
      own.configure("two", { id: 2, directory: "data-2", members, ...files, ...timing }),
    ];
    const runs = configs.map((config) => start(["node", "--config", config]));
    try {
      await Promise.all(
        runs.map((run) => run.seen(/warn +This node refuses the identity of node \d at 127\.0\.0\.1:\d+: TLS alert \d+, .*; see that /)),
      );
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      for (const { output } of runs) expect(output.stderr.match(/ warn /g)).toHaveLength(1);
    } finally {
      for (const { child } of runs) child.kill("SIGTERM");
    }
    expect((await Promise.all(runs.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([0, 0]);
  });
});

describe("octopii node refuses, without changing a byte,", () => {
  async function expectRefusal(config: string, sentence: RegExp): Promise<void> {
    const before = hashOf(node.directory);
    const { code, stdout, stderr } = await octopii("node", "--config", config);
    expect(stderr).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(hashOf(node.directory)).toBe(before);
  }

  it("the data directory of another cluster with the same name", async () => {
    const own = await issueNodeCertificate(stranger, { cluster: "lone", nodeId: 1, name: "node-1" });
    writeFileSync(join(node.directory, "theirs.pem"), own.certificate);
    writeFileSync(join(node.directory, "theirs.key"), own.privateKey);
    writeFileSync(join(node.directory, "their-authority.pem"), stranger.certificate);
    const files = { certificate: "theirs.pem", privateKey: "theirs.key", authorities: "their-authority.pem" };
    const config = node.configure("theirs", files);
    await expectRefusal(config, /^octopii: \S+data belongs to node 1 of another cluster lone: .* start once with both in authorities\.\n$/);
  });

  it("to begin anew where its log was removed", async () => {
    const config = node.configure("good", {});
    rmSync(join(node.data, "log"), { recursive: true });
    await expectRefusal(config, /^octopii: The log of node 1 of cluster lone in \S+log is missing .*; restore .* under another id\.\n$/);
  });
});
