import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueNodeCertificate } from "@octopii/certificates";
import { keyValueClient } from "@octopii/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DevCluster, openDevCluster } from "../../src/dev/cluster.js";
import { layoutOf } from "../../src/dev/layout.js";
import { findFreePorts } from "../../src/dev/ports.js";
import { temporaryDirectory } from "../support/directories.js";
import { checkBuild, type Ended, eventually, octopii, program, start } from "../support/program.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
const directory = join(temporaryDirectory(), "cluster");
const layout = layoutOf(directory);
let cluster: DevCluster;

beforeAll(async () => {
  checkBuild();
  cluster = await openDevCluster({ directory, nodes: 3, cluster: "test", program });
  await cluster.waitForLeader({ timeoutMs: 30_000 });
});
afterAll(() => cluster?.close());

const ask = (...args: string[]): Promise<Ended> => octopii(...args, "--config", layout.client.config, "--json");

interface Listed {
  readonly leader: number;
  readonly members: readonly { readonly id: number; readonly membership: string; readonly lag: number; readonly address: string }[];
}

async function members(): Promise<Listed> {
  return JSON.parse((await ask("members")).stdout) as Listed;
}

/** Writes what node 4 needs, and starts it. */
async function startNewcomer(address: string) {
  const authority = {
    certificate: readFileSync(layout.authority.certificate, "utf8"),
    privateKey: readFileSync(layout.authority.privateKey, "utf8"),
  };
  const issued = await issueNodeCertificate(authority, { cluster: "test", nodeId: 4, name: "node-4" });
  const path = (name: string): string => join(directory, name);
  writeFileSync(path("4.pem"), issued.certificate);
  writeFileSync(path("4.key"), issued.privateKey, { mode: 0o600 });
  const config = {
    cluster: "test",
    id: 4,
    join: true,
    directory: "node-4-data",
    members: [{ id: 4, address }],
    certificate: "4.pem",
    privateKey: "4.key",
    authorities: "authority/certificate.pem",
  };
  writeFileSync(path("4.json"), JSON.stringify(config));
  return start(["node", "--config", path("4.json")]);
}

describe("an operator", () => {
  it("hands leadership over, and takes snapshots", async () => {
    const { leader, members: before } = await members();
    const next = before.find(({ id }) => id !== leader)?.id ?? 0;
    const { code, stdout } = await ask("transfer", String(next));
    expect([code, JSON.parse(stdout)]).toEqual([0, { leader: next }]);
    expect((await members()).leader).toBe(next);
    const taken = await ask("snapshot", String(next));
    expect(taken.code, taken.stderr).toBe(0);
    expect(JSON.parse(taken.stdout)).toEqual({
      snapshots: [{ id: next, address: expect.any(String), index: expect.any(Number), error: null }],
    });
  });

  it("brings a new node in, gives it a vote, and takes it out again", async () => {
    await keyValueClient(cluster.client).put("before", new TextEncoder().encode("it came"));
    const [port] = await findFreePorts(1);
    const address = `127.0.0.1:${port}`;
    const newcomer = await startNewcomer(address);
    expect(await ask("members", "add", "4", address)).toMatchObject({ code: 0 });
    expect((await members()).members.find(({ id }) => id === 4)).toMatchObject({ membership: "learner", address });
    const promoted = await ask("members", "promote", "4");
    expect(promoted.code, promoted.stderr).toBe(0);
    expect((await members()).members.find(({ id }) => id === 4)).toMatchObject({ membership: "voter" });
    const kv = keyValueClient({ propose: () => Promise.reject(new Error("read")), query: (r) => cluster.client.queryAt(address, r) });
    expect(new TextDecoder().decode((await kv.get("before")) ?? undefined)).toBe("it came");
    expect(await ask("members", "remove", "4")).toMatchObject({ code: 0 });
    await eventually(async () => (await members()).members.length === 3, "the newcomer is out");
    newcomer.child.kill("SIGTERM");
    expect(await newcomer.ended).toMatchObject({ code: 0 });
  });

  it("hears in a sentence why something cannot be", async () => {
    const { leader } = await members();
    const cases: [args: string[], code: number, message: RegExp][] = [
      [["transfer", String(leader)], 1, /leads already/],
      [["members", "promote", "9"], 1, /Node 9 is no member/],
      [["members", "add", "four", "127.0.0.1:1"], 2, /id is a whole number above 0, not "four"/],
      [["members", "add", "4", "nowhere"], 2, /address is host:port, not "nowhere"/],
      [["members", "remvoe", "1"], 2, /did you mean remove\?/],
      [["members", "--timeout", "soon"], 2, /--timeout must be a whole number/],
      [["snapshot", "9"], 2, /Node 9 is no member/],
    ];
    for (const [args, code, message] of cases) {
      const ended = await ask(...args);
      expect([ended.code, ended.stdout], args.join(" ")).toEqual([code, ""]);
      expect(ended.stderr).toMatch(message);
    }
  });
});
