import type { HistoryEvent } from "../../packages/simulator/src/linearizability/history.js";
import type { AppendMapInput, AppendMapOutput } from "../../packages/simulator/src/linearizability/models/append-map.js";
import type { Scalar } from "../../packages/simulator/src/linearizability/models/cell.js";
import type { RegisterInput, RegisterOutput } from "../../packages/simulator/src/linearizability/models/register.js";
import { type Edn, isKeyword, parseEdn } from "./porcupine-edn.js";

type RegisterEvent = HistoryEvent<RegisterInput, RegisterOutput>;
type AppendMapEvent = HistoryEvent<AppendMapInput, AppendMapOutput>;

/** What one line of a log says, before it is paired with its call. */
interface Line {
  readonly process: number;
  readonly type: string;
  readonly f: string;
  readonly key: Edn | undefined;
  readonly value: Edn | undefined;
}

/** Reads a log of Jepsen's etcd test: `INFO  jepsen.util - PROCESS :TYPE :FUNCTION VALUE`, one register for all. */
export function parseEtcdLog(text: string): RegisterEvent[] {
  return pairLines(text, etcdLine, registerInput, (input, line) => {
    if (isKeyword(line.value)) return "unknown"; // :timed-out, whatever the type in front of it says
    if (line.type === "ok") return registerOutput(input, line.value, true);
    // etcd answers a compare-and-set that found another value with a failure: an answer all the same.
    if (line.type === "fail") return input.kind === "cas" ? registerOutput(input, line.value, false) : "failed";
    return "unknown";
  });
}

/** Reads a log of Porcupine's key-value test: one EDN map a line with `:process :type :f :key :value`. */
export function parseKeyValueLog(text: string): AppendMapEvent[] {
  return pairLines(text, keyValueLine, appendMapInput, (input, line) => {
    if (line.type === "fail") return "failed";
    if (line.type !== "ok") return "unknown";
    return input.kind === "get" ? { kind: "get", value: textOf(line.value) } : { kind: input.kind };
  });
}

function pairLines<Input, Output extends object>(
  text: string,
  readLine: (line: string) => Line | undefined,
  readInput: (line: Line) => Input,
  readOutcome: (input: Input, line: Line) => Output | "failed" | "unknown",
): HistoryEvent<Input, Output>[] {
  const events: HistoryEvent<Input, Output>[] = [];
  const pending = new Map<number, Input>();
  for (const [number, content] of text.split("\n").entries()) {
    try {
      const line = readLine(content);
      if (line === undefined) continue;
      const head = { index: events.length, time: number, process: line.process };
      if (line.type === "invoke") {
        const input = readInput(line);
        pending.set(line.process, input);
        events.push({ ...head, type: "invoke", input });
        continue;
      }
      const input = pending.get(line.process);
      if (input === undefined) throw new SyntaxError("completes what was not called");
      const outcome = readOutcome(input, line);
      if (outcome === "unknown") events.push({ ...head, type: "info", input });
      else if (outcome === "failed") events.push({ ...head, type: "fail", input });
      else events.push({ ...head, type: "ok", input, output: outcome });
    } catch (error) {
      throw new SyntaxError(`Line ${number + 1} ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
    }
  }
  if (events.length === 0) throw new SyntaxError("The file holds no operation.");
  return events;
}

function etcdLine(content: string): Line | undefined {
  const marker = /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+(:.*)$/.exec(content.trimEnd());
  if (marker === null) {
    if (/jepsen\.util\s+-\s+\d+\s+:/.test(content)) throw new SyntaxError(`is an event in no known shape: ${content}`);
    return undefined;
  }
  const [type, f, value] = parseEdn(marker[2] ?? "");
  return { process: Number(marker[1]), type: keyword(type), f: keyword(f), key: undefined, value };
}

function keyValueLine(content: string): Line | undefined {
  if (content.trim() === "") return undefined;
  const [map] = parseEdn(content);
  if (!(map instanceof Map)) throw new SyntaxError("is not a map");
  const process: unknown = map.get("process");
  if (typeof process !== "number") throw new SyntaxError("names no process");
  return { process, type: keyword(map.get("type")), f: keyword(map.get("f")), key: map.get("key"), value: map.get("value") };
}

function registerInput(line: Line): RegisterInput {
  if (line.f === "read") return { kind: "read" };
  if (line.f === "write") return { kind: "write", value: scalar(line.value) };
  if (line.f === "cas" && Array.isArray(line.value) && line.value.length === 2) {
    return { kind: "cas", expected: scalar(line.value[0]), value: scalar(line.value[1]) };
  }
  throw new SyntaxError(`calls ${line.f}, which a register does not have`);
}

function registerOutput(input: RegisterInput, value: Edn | undefined, done: boolean): RegisterOutput {
  if (input.kind === "read") return { kind: "read", value: scalar(value) };
  return input.kind === "write" ? { kind: "write" } : { kind: "cas", swapped: done };
}

function appendMapInput(line: Line): AppendMapInput {
  const key = textOf(line.key);
  if (line.f === "get") return { kind: "get", key };
  if (line.f === "put" || line.f === "append") return { kind: line.f, key, value: textOf(line.value) };
  throw new SyntaxError(`calls ${line.f}, which the key-value store does not have`);
}

function keyword(value: Edn | undefined): string {
  if (!isKeyword(value)) throw new SyntaxError("lacks a keyword for its type or function");
  return value.keyword;
}

function scalar(value: Edn | undefined): Scalar {
  if (value === undefined || (typeof value === "object" && value !== null)) throw new SyntaxError("lacks a plain value");
  return value;
}

function textOf(value: Edn | undefined): string {
  if (typeof value !== "string") throw new SyntaxError("lacks a string");
  return value;
}
