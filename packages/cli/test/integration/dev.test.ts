import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { ClusterJson } from "../../src/status-json.js";
import { temporaryDirectory } from "../support/directories.js";
import { checkBuild, eventually, isAlive, octopii, type Run, start } from "../support/program.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
const house = temporaryDirectory();
const running: Run[] = [];

beforeAll(checkBuild);
afterEach(async () => {
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.splice(0).map(({ ended }) => ended));
});

/** Starts `octopii dev` in a directory of its own, and waits for its table. */
async function dev(name: string, input: string | null = null): Promise<{ run: Run; directory: string; config: string; pids: number[] }> {
  const directory = join(house, name);
  const run = start(["dev", "--directory", directory], input);
  running.push(run);
  await run.seen(/ up\n.* up\n.* up\n/);
  const pids = [...run.output.stdout.matchAll(/ (\d+) {2}up$/gm)].map(([, pid]) => Number(pid)).slice(0, 3);
  return { run, directory, config: join(directory, "client.json"), pids };
}

describe("octopii dev", () => {
  it("serves the other commands, and leaves no process when it is interrupted", async () => {
    const { run, directory, config, pids } = await dev("serve");
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    expect(await octopii("kv", "put", "colour", "green", "--config", config)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await octopii("kv", "get", "colour", "--config", config)).toMatchObject({ code: 0, stdout: "green", stderr: "" });
    expect(await octopii("kv", "keys", "--json", "--config", config)).toMatchObject({ code: 0, stdout: '{"keys":["colour"]}\n' });
    expect(await octopii("kv", "del", "colour", "--config", config)).toMatchObject({ code: 0, stdout: "" });
    const gone = await octopii("kv", "get", "colour", "--config", config);
    expect(gone).toMatchObject({ code: 1, stdout: "", stderr: 'octopii: There is no "colour".\n' });
    const status = await octopii("status", "--json", "--config", config);
    const { leader, nodes } = JSON.parse(status.stdout) as ClusterJson;
    expect(status.code).toBe(0);
    expect(nodes.map(({ id, state }) => [id, state])).toEqual([1, 2, 3].map((id) => [id, "up"]));
    expect(nodes.find(({ role }) => role === "leader")?.id).toBe(leader);
    expect(run.output.stdout).toContain(directory);
    for (const folder of ["authority", "client", "node-1", "node-2", "node-3"]) {
      expect(statSync(join(directory, folder, "private-key.pem")).mode & 0o777).toBe(0o600);
    }

    run.child.kill("SIGINT");
    expect(await run.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
    expect(pids.map(isAlive)).toEqual([false, false, false]);
    for (const id of [1, 2, 3])
      expect(readFileSync(join(directory, `node-${id}`, "log.txt"), "utf8")).toMatch(/The node closed\. node=\d\n$/);
  });

  it("takes commands from a pipe", async () => {
    const commands = [
      "put greeting hello there",
      "get greeting",
      "bogus",
      "kill 9",
      "kill 1",
      "restart 1",
      "status",
      "del greeting",
      "get greeting",
      "quit",
    ];
    const { run } = await dev("piped", commands.map((line) => `${line}\n`).join(""));
    const { code, stdout, stderr } = await run.ended;
    expect(stderr).toBe("");
    expect(stdout).toMatch(/stored 11 B under "greeting" {2}[\s\S]*\n {2}hello there {2}/);
    expect(stdout).toMatch(/There is no command "bogus"; help lists them\./);
    expect(stdout).toMatch(/There is no node "9"; there are 1, 2, 3\./);
    expect(stdout).toMatch(/node 1.*, pid \d+, was killed by SIGKILL[\s\S]*node 1 is up, pid \d+/);
    expect(stdout).toMatch(/removed "greeting"[\s\S]*there is no "greeting"/);
    expect(stdout).toMatch(/node 3 closed cleanly/);
    expect(code).toBe(0);
  });

  it("says which node ended unasked, and keeps its directory to itself", async () => {
    const { run, directory, pids } = await dev("crash");
    const second = await octopii("dev", "--once", "--directory", directory);
    expect(second).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^octopii: A cluster is running from .* already; stop it .*\n$/),
    });
    process.kill(pids[1] ?? 0, "SIGKILL");
    await run.seen(/node 2.*, pid \d+, ended unasked by SIGKILL, its last words: .* \(log: .*node-2\/log\.txt\)/);
    run.child.kill("SIGTERM");
    expect((await run.ended).code).toBe(0);
  });

  it("leaves no process when it is killed, and its nodes close cleanly", async () => {
    const { run, directory, pids } = await dev("orphans");
    run.child.kill("SIGKILL");
    await run.ended;
    await eventually(() => !pids.some(isAlive), "the nodes end");
    for (const id of [1, 2, 3])
      expect(readFileSync(join(directory, `node-${id}`, "log.txt"), "utf8")).toMatch(/The node closed\. node=\d\n$/);
  });

  it("comes up once as JSON, and again with the same cluster", async () => {
    const directory = join(house, "once");
    const first = await octopii("dev", "--once", "--json", "--nodes", "1", "--directory", directory);
    const second = await octopii("dev", "--once", "--json", "--directory", directory);
    const [before, after] = [first, second].map(({ stdout }) => JSON.parse(stdout) as ClusterJson);
    expect([first.code, second.code, first.stderr, second.stderr]).toEqual([0, 0, "", ""]);
    expect(before).toMatchObject({ cluster: "dev", leader: 1, nodes: [{ id: 1, role: "leader", state: "up", lag: 0 }] });
    expect(after?.nodes[0]?.address).toBe(before?.nodes[0]?.address);
    expect(after?.nodes[0]?.commitIndex).toBeGreaterThan(before?.nodes[0]?.commitIndex ?? Number.NaN);
    const moved = await octopii("dev", "--once", "--json", "--base-port", "auto", "--directory", directory);
    expect(moved.stderr).toMatch(/^octopii: Updated members in node-1\/config\.json; addresses in client\.json\.\n$/);
    expect((JSON.parse(moved.stdout) as ClusterJson).leader).toBe(1);
  });
});
