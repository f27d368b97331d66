import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueNodeCertificate } from "@octopii/certificates";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { findFreePorts } from "../../src/dev/ports.js";
import { temporaryDirectory } from "../support/directories.js";
import { createLoneNode, type LoneNode } from "../support/lone-node.js";
import { checkBuild, eventually, octopii, start } from "../support/program.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
const house = temporaryDirectory();
let node: LoneNode;
let client: string;
const path = (...names: string[]): string => join(house, ...names);
const digest = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

beforeAll(async () => {
  checkBuild();
  node = await createLoneNode(path("node"));
  writeFileSync(path("node", "client.pem"), node.client.certificate);
  writeFileSync(path("node", "client.key"), node.client.privateKey);
  const other = await issueNodeCertificate(node.authority, { cluster: "lone", nodeId: 2, name: "node-2" });
  writeFileSync(path("node", "other.pem"), other.certificate);
  writeFileSync(path("node", "other.key"), other.privateKey);
  client = node.configure("client", { certificate: "client.pem", privateKey: "client.key" });
  writeFileSync(
    path("file.bin"),
    new Uint8Array(20_000_000).map((_, at) => (at * 13) >> 3),
  );
});

describe("octopii send", () => {
  it("reaches a node's inbox in another process", async () => {
    const inbox = path("inbox");
    const run = start(["node", "--config", node.configure("with-inbox", {}), "--inbox", inbox]);
    await run.seen(/takes part/);
    const { code, stdout } = await octopii("send", path("file.bin"), "--to", `127.0.0.1:${node.port}`, "--config", client);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${digest(path("file.bin"))}  file.bin\n` });
    expect(digest(join(inbox, "file.bin"))).toBe(digest(path("file.bin")));
    run.child.kill("SIGTERM");
    expect((await run.ended).code).toBe(0);
    expect(run.output.stderr).toMatch(/A file was received\./);
  });

  it("ends with 1 when the receiver is killed; what that leaves is no file of the name, and goes with the next one", async () => {
    const [port = 0] = await findFreePorts(1);
    const inbox = path("killed");
    mkdirSync(inbox);
    // TCP, where the loss of a process is noticed at once.
    const config = node.configure("receiver-tcp", { certificate: "other.pem", privateKey: "other.key", transport: "tcp" });
    const sender = node.configure("client-tcp", { certificate: "client.pem", privateKey: "client.key", transport: "tcp" });
    const receive = (...more: string[]) =>
      start(["receive", "--config", config, "--listen", `127.0.0.1:${port}`, "--directory", inbox, ...more]);
    const first = receive();
    await first.seen(/go into/);
    const sending = octopii("send", path("file.bin"), "--to", `127.0.0.1:${port}`, "--config", sender);
    await eventually(() => readdirSync(inbox).some((name) => name.startsWith(".octopii-lane-")), "the transfer begins");
    first.child.kill("SIGKILL");
    await first.ended;
    const { code, stdout, stderr } = await sending;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^octopii: /m);
    expect(readdirSync(inbox)).toEqual([expect.stringMatching(/^\.octopii-lane-[0-9a-f]{24}$/)]);
    const second = receive("--count", "1");
    await second.seen(/go into/);
    expect((await octopii("send", path("file.bin"), "--to", `127.0.0.1:${port}`, "--config", sender)).code).toBe(0);
    expect((await second.ended).code).toBe(0);
    expect(readdirSync(inbox)).toEqual(["file.bin"]);
    expect(digest(join(inbox, "file.bin"))).toBe(digest(path("file.bin")));
  });

  it("is cancelled by Ctrl-C, on both sides, and octopii receive ends with 0 by it", async () => {
    const [port = 0] = await findFreePorts(1);
    const inbox = path("cancelled");
    mkdirSync(inbox);
    const config = node.configure("receiver", { certificate: "other.pem", privateKey: "other.key" });
    const receiver = start(["receive", "--config", config, "--listen", `127.0.0.1:${port}`, "--directory", inbox]);
    await receiver.seen(/go into/);
    const sender = start(["send", path("file.bin"), "--to", `127.0.0.1:${port}`, "--config", client]);
    await eventually(() => readdirSync(inbox).length > 0, "the transfer begins");
    sender.child.kill("SIGINT");
    expect(await sender.ended).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("Interrupted") });
    await receiver.seen(/was not received/);
    expect(readdirSync(inbox)).toEqual([]);
    receiver.child.kill("SIGINT");
    expect((await receiver.ended).code).toBe(0);
  });
});
