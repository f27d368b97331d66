import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { createCluster, optionsOf, until } from "../support.js";

const script = fileURLToPath(new URL("./peer.ts", import.meta.url));
const [near, far] = [`octopii-${process.pid}-a`, `octopii-${process.pid}-b`];
// Names of links have at most 15 characters.
const [nearLink, farLink] = [`oa${process.pid}`, `ob${process.pid}`];
const children: ChildProcess[] = [];
const directory = mkdtempSync(join(tmpdir(), "octopii-namespaces-"));

const ip = (...args: string[]) => spawnSync("ip", args, { encoding: "utf8" });

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const namespace of [near, far]) ip("netns", "del", namespace);
  rmSync(directory, { recursive: true, force: true });
});

/** Two namespaces with a cable between them. @returns why there are none, if the machine does not allow it. */
function createNamespaces(): string | null {
  const steps = [
    ["netns", "add", near],
    ["netns", "add", far],
    ["link", "add", nearLink, "netns", near, "type", "veth", "peer", "name", farLink, "netns", far],
    ["-n", near, "addr", "add", "10.213.0.1/24", "dev", nearLink],
    ["-n", far, "addr", "add", "10.213.0.2/24", "dev", farLink],
    ["-n", near, "link", "set", nearLink, "up"],
    ["-n", far, "link", "set", farLink, "up"],
  ];
  for (const step of steps) {
    const { status, error, stderr } = ip(...step);
    if (status !== 0) return `ip ${step.join(" ")}: ${error?.message ?? stderr}`;
  }
  return null;
}

/** A peer in a namespace; its lines gather in `said`. */
async function start(namespace: string, role: "listen" | "dial", id: number): Promise<{ readonly said: string[] }> {
  const file = join(directory, `${id}.json`);
  writeFileSync(file, JSON.stringify((await optionsOf(await cluster, id)).credentials), { mode: 0o600 });
  const args = ["netns", "exec", namespace, process.execPath, "--import", "tsx", script, role, "10.213.0.1:7400", file];
  const child = spawn("ip", args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const said: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => said.push(...text.split("\n").filter(Boolean)));
  return { said };
}

const cluster = createCluster();

it("QUIC outlives a cable that is pulled for a moment, notices one that stays out, and comes back", async () => {
  const refused = createNamespaces();
  if (refused !== null) {
    process.stderr.write(`Not tried in real network namespaces, which this machine does not allow: ${refused}\n`);
    expect(refused).toMatch(/^ip /);
    return;
  }
  const listener = await start(near, "listen", 1);
  await until(() => listener.said.includes("listening"), 15_000);
  const { said } = await start(far, "dial", 2);
  const echoes = () => said.filter((line) => line.startsWith("echo")).length;
  await until(() => echoes() >= 3, 15_000);

  ip("-n", near, "link", "set", nearLink, "down");
  await new Promise((resolve) => setTimeout(resolve, 400));
  const before = echoes();
  ip("-n", near, "link", "set", nearLink, "up");
  await until(() => echoes() > before + 2);
  expect(said.filter((line) => line === "connected")).toHaveLength(1);

  // Its own side's link: the system now refuses to send at all, which is no more than loss.
  ip("-n", far, "link", "set", farLink, "down");
  await until(() => said.includes("closed by timeout"));
  const afterwards = echoes();
  ip("-n", far, "link", "set", farLink, "up");
  await until(() => echoes() > afterwards + 2, 15_000);
  expect(said.filter((line) => line === "connected")).toHaveLength(2);
});
