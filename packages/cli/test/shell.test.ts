import { CoreError, keyValueClient } from "@octopii/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DevCluster } from "../src/dev/cluster.js";
import type { NodeReport } from "../src/dev/node-watch.js";
import { Shell } from "../src/dev/shell.js";
import { colourful, plain } from "../src/dev/text.js";
import { createLiveView } from "../src/dev/view.js";
import { CliError } from "../src/errors.js";
import { Keyboard, Terminal } from "./support/terminal.js";

// Readline edits lines only where the terminal can.
beforeEach(() => void vi.stubEnv("TERM", "xterm"));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const nothingStored = new Uint8Array([0]);
const found = (text: string): Uint8Array => new Uint8Array([1, ...new TextEncoder().encode(text)]);

/** A shell in a terminal, with a cluster that exists in name only. */
function open(columns: number, client: object = {}, more: object = {}) {
  const terminal = new Terminal(columns, 24);
  const reports = [1, 2, 3].map(
    (id): NodeReport => ({
      id,
      address: `127.0.0.1:2755${id}`,
      state: "up",
      pid: 20_000 + id,
      status: null,
      lastWords: null,
      endedBy: null,
      log: `/a/rather/long/path/to/node-${id}/log.txt`,
    }),
  );
  const members = reports.map(({ id, address }) => ({ id, address }));
  const leader = () => null;
  const cluster = {
    client,
    members,
    leader,
    directory: "/some/where",
    report: () => [...reports],
    refresh: async () => undefined,
    ...more,
  };
  const handlers = { line: () => undefined, interrupt: () => undefined, complete: () => [] };
  const streams = [new Keyboard(), terminal] as unknown as [NodeJS.ReadStream, NodeJS.WriteStream];
  const view = createLiveView(() => cluster as unknown as DevCluster, ...streams, colourful, handlers);
  const shell = new Shell(cluster as unknown as DevCluster, view, () => undefined);
  const rows = (): string[] => terminal.text.split("\n");
  return { terminal, view, shell, reports, rows };
}

const failed = new CoreError("OCTOPII_CORE_UNAVAILABLE", "Nobody leads.");
const unknown = new CoreError("OCTOPII_CORE_TIMEOUT", "No answer.", { outcome: "unknown" });

describe("restart", () => {
  it("leaves it to the news to tell that the node refused", async () => {
    const refusal = new CliError("OCTOPII_CLI_NODE_REFUSED", "Node 2 did not start: no.");
    const { shell, rows, view } = open(80, {}, { stop: async () => undefined, start: () => Promise.reject(refusal) });
    await shell.execute("restart 2");
    expect(rows()).toEqual([""]);
    view.close();
  });
});

describe("keys and values", () => {
  it.each([
    ["put colour light green", "colour", "light green"],
    ['put colour "light green"', "colour", "light green"],
    ['put "my colour" light green', "my colour", "light green"],
    ["put 'my \"own\" colour' 'light green'", 'my "own" colour', "light green"],
    [`put it's green`, "it's", "green"],
  ])("of %s are those that were meant", async (line, key, value) => {
    const [sent, expected]: [Uint8Array[], Uint8Array[]] = [[], []];
    const recorder = (commands: Uint8Array[]) => ({
      propose: async (command: Uint8Array): Promise<Uint8Array> => {
        commands.push(command);
        return nothingStored;
      },
      query: async () => nothingStored,
    });
    const { shell, view } = open(80, recorder(sent));
    await shell.execute(line);
    await keyValueClient(recorder(expected)).put(key, new TextEncoder().encode(value));
    expect(sent).toEqual(expected);
    view.close();
  });

  it.each(['put "my colour green', 'get "my colour', 'put "" green', 'get "my" colour'])("of %s are asked for again", async (line) => {
    const { shell, rows, view } = open(80);
    await shell.execute(line);
    expect(rows().join("\n")).toContain(`Usage: ${line.slice(0, 3)} KEY`);
    view.close();
  });
});

describe.each([40, 60, 80, 120])("in %i columns, the shell", (columns) => {
  it.each([
    ["help", {}],
    ["status", {}],
    ["bogus command with words", {}],
    ["put", {}],
    ["kill 9", {}],
    [`put ${"key".repeat(20)} value`, { propose: async () => nothingStored }],
    [`get ${"key".repeat(20)}`, { query: async () => new Uint8Array([0]) }],
    ["get long", { query: async () => found("some words, ".repeat(20)) }],
    ["get failing", { query: () => Promise.reject(new CoreError("OCTOPII_CORE_TOO_LARGE", "word ".repeat(40).trim())) }],
  ])("lets no line of %s run over the edge", async (line, client) => {
    const { shell, rows, view } = open(columns, client);
    await shell.execute(line);
    expect(rows().length).toBeGreaterThan(1);
    for (const row of rows()) expect(row.length, row).toBeLessThan(columns);
    view.close();
  });

  it.each([
    [
      "put colour green",
      failed,
      /The cluster could not do it within 10 s, and nothing was changed; see that a majority of its nodes is up\./,
    ],
    ["get colour", failed, /The cluster did not answer within 10 s; see that a majority of its nodes is up\./],
    ["del colour", unknown, /It is unknown whether "colour" was removed: .*; "get colour" shows what is there\./],
  ])("wraps what it says of %s that never succeeds", async (line, error, sentence) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
    const { shell, rows, view } = open(columns, { propose: () => Promise.reject(error), query: () => Promise.reject(error) });
    const executed = shell.execute(line);
    await vi.advanceTimersByTimeAsync(11_000);
    await executed;
    const printed = rows().slice(0, -1);
    expect(printed.map((row) => row.trim()).join(" ")).toMatch(sentence);
    for (const row of printed) {
      expect(row.length, row).toBeLessThan(columns);
      expect(row, "indented like the first line").toMatch(/^ {2}\S/);
    }
    view.close();
  });

  it("is told what happened in lines that do not run over the edge", () => {
    const { view, reports, rows } = open(columns);
    view.update();
    reports[1] = { ...(reports[1] as NodeReport), state: "crashed", endedBy: "exit code 1", lastWords: "octopii: Node 2 has stopped: why" };
    view.update();
    view.say(" Data lies in /some/rather/long/path, what node N says in /some/rather/long/path/node-N/log.txt.");
    for (const row of rows()) expect(row.length, row).toBeLessThan(columns);
    const [first = "", ...more] = rows();
    expect(first).toMatch(/^\d\d:\d\d:\d\d {2}node 2/);
    if (columns <= 80) expect(more[0]).toMatch(/^ {10}\S/);
    view.close();
  });
});

describe("a command that waits for the cluster", () => {
  it("ends when everything is to stop, and says that nobody knows", async () => {
    const controller = new AbortController();
    const propose = (_: Uint8Array, { signal }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const printed: string[] = [];
    const output = {
      paint: plain,
      columns: () => 200,
      print: (lines: readonly string[]) => printed.push(...lines),
      status: () => undefined,
    };
    const shell = new Shell({ client: { propose } } as unknown as DevCluster, output, () => undefined, controller.signal);
    const executed = shell.execute("put colour green");
    controller.abort(new Error("stop"));
    await executed;
    expect(printed).toEqual(['  "put" was given up before its answer came; it may have happened.']);
  });

  it("is passed by those that tend to the nodes, and by no other", () => {
    const passing = ["kill 1", " restart 2", "status", "help", "quit", "exit"];
    expect(passing.every((line) => Shell.isImmediate(line))).toBe(true);
    expect(["put kill 1", "get status", "del quit", "killer 1", ""].some((line) => Shell.isImmediate(line))).toBe(false);
  });
});
