import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCertificate } from "@octopii/certificates";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "./support/directories.js";
import { octopii } from "./support/in-process.js";

const directory = temporaryDirectory();
const authority = join(directory, "authority");
const certs = (...args: string[]) => octopii("certs", ...args);

describe("octopii certs", () => {
  it("makes an authority, certificates of nodes and clients, and rotates them in place", async () => {
    expect(await certs("init", "--cluster", "reef", "--authority", authority)).toMatchObject({ code: 0 });
    expect(statSync(join(authority, "authority.key")).mode & 0o777).toBe(0o600);
    expect(await certs("issue", "--node", "3", "--authority", authority, "--out", directory)).toMatchObject({ code: 0 });
    expect(await certs("issue", "--client", "laptop", "--authority", authority, "--out", directory)).toMatchObject({ code: 0 });
    const path = join(directory, "node-3.pem");
    const before = readCertificate(readFileSync(path, "utf8"));
    expect(before).toMatchObject({ kind: "node", cluster: "reef", nodeId: 3, name: "node-3" });
    const config = join(directory, "node.json");
    writeFileSync(config, JSON.stringify({ certificate: "node-3.pem", privateKey: "node-3.key", authorities: "authority/authority.pem" }));
    expect(await certs("rotate", "--config", config, "--authority", authority, "--days", "90")).toMatchObject({ code: 0 });
    const after = readCertificate(readFileSync(path, "utf8"));
    expect(after).toMatchObject({ kind: "node", cluster: "reef", nodeId: 3, name: "node-3" });
    expect(after.serialNumber).not.toBe(before.serialNumber);
    const shown = await certs("show", path, join(directory, "laptop.pem"));
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain("node 3 (node-3) of cluster reef");
    expect(shown.stdout).toContain("client laptop of cluster reef");
  });

  it("shows as JSON, and by its exit code that one will expire soon", async () => {
    await certs("issue", "--client", "short", "--days", "7", "--authority", authority, "--out", directory);
    const { code, stdout } = await certs("show", "--json", join(directory, "short.pem"));
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ kind: "client", state: "expiring", name: "short" }]);
  });

  it.each([
    [["init", "--cluster", "reef", "--authority", authority], /is there already/],
    [["init", "--cluster", "no good!", "--authority", join(directory, "other")], /cluster must be/],
    [["init"], /--cluster NAME is missing/],
    [["issue", "--authority", authority], /either --node ID or --client NAME/],
    [["issue", "--node", "x", "--authority", authority], /whole number/],
    [["issue", "--node", "3", "--authority", authority, "--out", directory], /is there already/],
    [["issue", "--node", "3", "--authority", join(directory, "nowhere")], /octopii certs init/],
    [["rotate"], /--config FILE is missing/],
    [["show"], /Name the files/],
    [["show", join(directory, "nothing.pem")], /does not exist/],
    [["renew"], /no "certs renew"/],
  ])("refuses %j", async (args, complaint) => {
    const { code, stderr } = await certs(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(complaint);
  });
});
