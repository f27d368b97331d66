import type { EventType, HistoryEvent } from "./history.js";

/** What an exported value can be made of. */
export type JepsenValue = null | boolean | number | string | readonly JepsenValue[];

/** How a model's operations read in Jepsen's terms. */
export interface JepsenCodec<Input, Output> {
  /** The function's name, written as a keyword, and its argument; for a model with keys `[key, argument]`. */
  invoke(input: Input): { readonly f: string; readonly value: JepsenValue };
  /** The value of a successful completion. `fail` for an answer that means "nothing was done", such as a refused cas. */
  complete(input: Input, output: Output): { readonly type: "ok" | "fail"; readonly value: JepsenValue };
}

/** One line of a Jepsen history. */
export interface JepsenEvent {
  readonly index: number;
  /** Nanoseconds since the clock's start. */
  readonly time: number;
  readonly process: number;
  readonly type: EventType;
  readonly f: string;
  readonly value: JepsenValue;
  readonly error?: string;
}

/**
 * A recorded history in Jepsen's shape, for Knossos, Elle or Porcupine. Answers that the codec turns into `fail` lose the fact that
 * they were observed, as they do in Jepsen itself.
 */
export function toJepsen<Input, Output>(events: readonly HistoryEvent<Input, Output>[], codec: JepsenCodec<Input, Output>): JepsenEvent[] {
  return events.map((event, index) => {
    const { f, value } = codec.invoke(event.input);
    const head = { index, time: Math.round(event.time * 1e6), process: event.process };
    if (event.type === "ok" && event.output !== undefined) return { ...head, f, ...codec.complete(event.input, event.output) };
    return { ...head, type: event.type, f, value, ...(event.error === undefined ? {} : { error: event.error }) };
  });
}

/** A history as EDN, one map a line: `{:index 0, :time 1000000, :process 3, :type :invoke, :f :read, :value nil}`. */
export function encodeEdn(history: readonly JepsenEvent[]): string {
  return history.map((event) => `${ednEvent(event)}\n`).join("");
}

/** A history as one JSON array, one event a line, with the same names as the EDN. */
export function encodeJson(history: readonly JepsenEvent[]): string {
  return history.length === 0 ? "[]\n" : `[\n${history.map((event) => JSON.stringify(event)).join(",\n")}\n]\n`;
}

function ednEvent(event: JepsenEvent): string {
  const error = event.error === undefined ? "" : `, :error ${ednString(event.error)}`;
  return (
    `{:index ${event.index}, :time ${event.time}, :process ${event.process}, :type :${event.type}, ` +
    `:f ${ednKeyword(event.f)}, :value ${ednValue(event.value)}${error}}`
  );
}

function ednKeyword(name: string): string {
  if (!/^[A-Za-z*!_?<>=+-][\w*!?<>=+-]*$/.test(name))
    throw new TypeError(`Function name ${JSON.stringify(name)} cannot be an EDN keyword.`);
  return `:${name}`;
}

function ednValue(value: JepsenValue): string {
  if (value === null) return "nil";
  if (typeof value === "string") return ednString(value);
  if (typeof value === "number" && !Number.isFinite(value)) return Number.isNaN(value) ? "##NaN" : value > 0 ? "##Inf" : "##-Inf";
  if (typeof value === "object") return `[${value.map(ednValue).join(" ")}]`;
  return String(value);
}

const EDN_ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function ednString(text: string): string {
  const escaped = text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not stand bare in a line
    /["\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => EDN_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}
