import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkEvents, type LinearizabilityResult } from "../../packages/simulator/src/linearizability/check.js";
import { appendMapModel } from "../../packages/simulator/src/linearizability/models/append-map.js";
import { registerModel } from "../../packages/simulator/src/linearizability/models/register.js";
import { parseEtcdLog, parseKeyValueLog } from "./porcupine-histories.js";
import type { Report } from "./report.js";

/** Some of upstream's histories have fifty clients; give up late. */
const limits = { maxStepsPerPartition: 100_000_000, maxCacheBytes: 1024 * 1024 * 1024 };

type Result = LinearizabilityResult<unknown, unknown, unknown>;

/**
 * Judges recorded histories whose verdict is known. `dir` is a checkout of Porcupine, its `test_data`, or a folder with
 * `jepsen-etcd/*.log` plus `expected.json`, and `kv/*-ok.txt` and `kv/*-bad.txt`.
 */
export async function run(dir: string, report: Report): Promise<void> {
  const etcd = firstExisting(dir, ["jepsen-etcd", "jepsen", "test_data/jepsen"]);
  const keyValue = firstExisting(dir, ["kv", "test_data/kv"]);
  if (etcd === undefined && keyValue === undefined) {
    report.failed(
      "porcupine",
      `${dir} holds neither jepsen-etcd, jepsen, kv nor test_data; give a checkout of Porcupine or its test data.`,
    );
    return;
  }
  if (etcd !== undefined) await judgeEtcd(etcd, report);
  if (keyValue !== undefined) await judgeKeyValue(keyValue, report);
}

async function judgeEtcd(folder: string, report: Report): Promise<void> {
  const files = await filesOf(folder, ".log");
  const expected = await expectedVerdicts(folder).catch((error: unknown) => {
    report.failed("etcd/expected.json", error instanceof Error ? error.message : String(error));
    return new Map<string, boolean>();
  });
  for (const name of expected.keys()) {
    if (!files.includes(name)) report.failed(`etcd/${name}`, "has an expected verdict but no file.");
  }
  const unlisted: Result["verdict"][] = [];
  for (const name of files) {
    const judge = (text: string): Result => checkEvents(registerModel(), parseEtcdLog(text), limits);
    const verdict = expected.get(name);
    const result = await judgeFile(join(folder, name), `etcd/${name}`, judge, verdict, report);
    if (verdict === undefined && result !== undefined) unlisted.push(result.verdict);
  }
  if (files.length === 0) report.failed("etcd", `${folder} holds no .log file.`);
  if (unlisted.length > 0) {
    const count = (verdict: Result["verdict"]): number => unlisted.filter((each) => each === verdict).length;
    report.note(
      `${unlisted.length} etcd histories have no expected verdict, so ours is counted here and not judged: ` +
        `${count("linearizable")} linearizable, ${count("violation")} not, ${count("unknown")} unknown.`,
    );
  }
}

async function judgeKeyValue(folder: string, report: Report): Promise<void> {
  const files = await filesOf(folder, ".txt");
  if (files.length === 0) report.failed("kv", `${folder} holds no .txt file.`);
  for (const name of files) {
    const verdict = /-(ok|bad)\.txt$/.exec(name)?.[1];
    if (verdict === undefined) report.failed(`kv/${name}`, "must end in -ok.txt or -bad.txt, which is its expected verdict.");
    else
      await judgeFile(
        join(folder, name),
        `kv/${name}`,
        (text) => checkEvents(appendMapModel(), parseKeyValueLog(text), limits),
        verdict === "ok",
        report,
      );
  }
}

/** @returns the result, or nothing if the file could not be judged, which has then been reported. */
async function judgeFile(
  path: string,
  name: string,
  judge: (text: string) => Result,
  linearizable: boolean | undefined,
  report: Report,
): Promise<Result | undefined> {
  try {
    const result = judge(await readFile(path, "utf8"));
    if (linearizable === undefined) return result;
    const expected = linearizable ? "linearizable" : "violation";
    if (result.verdict === expected) report.passed();
    else
      report.failed(
        name,
        `expected ${expected}, found ${result.verdict}.${result.verdict === "violation" ? `\n${result.explanation}` : ""}`,
      );
    return result;
  } catch (error) {
    report.failed(name, error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

async function expectedVerdicts(folder: string): Promise<ReadonlyMap<string, boolean>> {
  const path = join(folder, "expected.json");
  if (!existsSync(path)) return new Map();
  const content = JSON.parse(await readFile(path, "utf8")) as { linearizable?: unknown };
  if (typeof content.linearizable !== "object" || content.linearizable === null) {
    throw new TypeError(`${path} lacks "linearizable", a map from file name to verdict.`);
  }
  const verdicts = new Map<string, boolean>();
  for (const [name, verdict] of Object.entries(content.linearizable)) {
    if (typeof verdict !== "boolean") throw new TypeError(`${path}: the verdict of ${name} must be true or false.`);
    verdicts.set(name, verdict);
  }
  return verdicts;
}

async function filesOf(folder: string, extension: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(extension)).sort();
}

function firstExisting(dir: string, names: readonly string[]): string | undefined {
  return names.map((name) => join(dir, name)).find((path) => existsSync(path));
}
