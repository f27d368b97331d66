import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../conformance/porcupine.js";
import { parseEdn } from "../conformance/porcupine-edn.js";
import { parseEtcdLog, parseKeyValueLog } from "../conformance/porcupine-histories.js";
import { CountingReport } from "../conformance/report.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "octopii-porcupine-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function judge(files: Readonly<Record<string, string>>) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  const report = new CountingReport(() => undefined);
  await run(dir, report);
  return report.summary();
}

const etcd = (...events: string[]) => events.map((event) => `INFO  jepsen.util - ${event.replaceAll(" ", "\t")}\n`).join("");
const valid = etcd("0 :invoke :write 1", "0 :ok :write 1", "1 :invoke :read nil", "1 :ok :read 1");
const stale = etcd("0 :invoke :write 1", "0 :ok :write 1", "1 :invoke :read nil", "1 :ok :read nil");
const answered = (value: string) =>
  '{:process 0, :type :invoke, :f :put, :key "k", :value "a b"}\n{:process 0, :type :ok, :f :put, :key "k", :value "a b"}\n' +
  `{:process 0, :type :invoke, :f :get, :key "k", :value nil}\n{:process 0, :type :ok, :f :get, :key "k", :value "${value}"}\n`;

describe("the runner of Porcupine's data", () => {
  it("passes right verdicts in a folder with expectations", async () => {
    const summary = await judge({
      "jepsen-etcd/a.log": valid,
      "jepsen-etcd/b.log": stale,
      "jepsen-etcd/expected.json": '{"linearizable":{"a.log":true,"b.log":false}}',
      "kv/c1-ok.txt": answered("a b"),
      "kv/c1-bad.txt": answered("a"),
    });
    expect(summary).toMatchObject({ passed: 4, failed: 0, notes: [] });
  });

  it("fails wrong verdicts, naming the file and the reason", async () => {
    const summary = await judge({
      "jepsen-etcd/a.log": stale,
      "jepsen-etcd/b.log": valid,
      "jepsen-etcd/expected.json": '{"linearizable":{"a.log":true,"b.log":false,"missing.log":true}}',
      "kv/c1-ok.txt": answered("a"),
      "kv/other.txt": answered("a"),
    });
    expect(summary.passed).toBe(0);
    expect(summary.failures.map(({ name }) => name).sort()).toEqual([
      "etcd/a.log",
      "etcd/b.log",
      "etcd/missing.log",
      "kv/c1-ok.txt",
      "kv/other.txt",
    ]);
    expect(summary.failures.find(({ name }) => name === "etcd/a.log")?.message).toMatch(
      /expected linearizable, found violation.*\n.*read -> null/,
    );
  });

  it("counts the etcd histories of an upstream checkout without judging them", async () => {
    const summary = await judge({
      "test_data/jepsen/a.log": valid,
      "test_data/jepsen/b.log": stale,
      "test_data/kv/c1-ok.txt": answered("a b"),
    });
    expect(summary).toMatchObject({ passed: 1, failed: 0 });
    expect(summary.notes).toEqual([expect.stringMatching(/^2 etcd histories have no expected verdict.*1 linearizable, 1 not, 0 unknown/)]);
  });

  it("fails what it cannot read instead of passing over it", async () => {
    const summary = await judge({
      "jepsen-etcd/empty.log": "nothing here\n",
      "jepsen-etcd/odd.log": "INFO  jepsen.util - 0\t:invoke\t:swap\t1\n",
      "jepsen-etcd/expected.json": '{"linearizable":{"empty.log":true,"odd.log":1}}',
      "kv/x-ok.txt": '{:process 0 :type :ok :f :get :key "k" :value ""}\n',
    });
    expect(summary.passed).toBe(0);
    expect(summary.failures.map(({ name }) => name)).toEqual(["etcd/expected.json", "etcd/empty.log", "etcd/odd.log", "kv/x-ok.txt"]);
    expect((await judge({})).failed).toBeGreaterThan(0);
  });

  it("fails a folder that holds nothing known", async () => {
    expect(await judge({ "readme.txt": "" })).toMatchObject({ passed: 0, failed: 1 });
  });
});

describe("reading histories", () => {
  it("takes timed-out operations as unknown and a refused cas as an answer", () => {
    const events = parseEtcdLog(
      etcd(
        "0 :invoke :cas [1 2]",
        "0 :fail :cas [1 2]",
        "1 :invoke :write 3",
        "1 :info :write :timed-out",
        "2 :invoke :read nil",
        "2 :fail :read :timed-out",
      ),
    );
    expect(events.map(({ type, output }) => [type, output])).toEqual([
      ["invoke", undefined],
      ["ok", { kind: "cas", swapped: false }],
      ["invoke", undefined],
      ["info", undefined],
      ["invoke", undefined],
      ["info", undefined],
    ]);
  });

  it("names the line that it cannot read", () => {
    expect(() => parseEtcdLog(`${valid}INFO  jepsen.util - 3\t:ok\t:read\t1\n`)).toThrow(/Line 5 completes what was not called/);
    expect(() => parseEtcdLog("INFO  jepsen.util - 3 :nemesis :start 1 2\n")).toThrow(/Line 1/);
    expect(() => parseKeyValueLog('{:process 0, :type :invoke, :f :pop, :key "k"}')).toThrow(/Line 1 calls pop/);
  });

  it("reads EDN, and refuses what is not", () => {
    expect(parseEdn(':a nil -1.5 "q\\"" [1 [2]] {:k true}')).toEqual([
      { keyword: "a" },
      null,
      -1.5,
      'q"',
      [1, [2]],
      new Map([["k", true]]),
    ]);
    for (const bad of ["[1", "]", '"open', "{:k}", "{1 2}", "word", "[".repeat(40)]) expect(() => parseEdn(bad), bad).toThrow(SyntaxError);
  });
});
