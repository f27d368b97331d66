import type { StateMachine } from "../../ports.js";
import type { Entry } from "../../types.js";

/** What {@link createMemoryKeyValue} takes: `value` null removes the key. */
export interface KeyValueCommand {
  readonly key: string;
  /** Left out: nothing is changed, and the result tells what stands there. */
  readonly value?: string | null;
}

const encoder = new TextEncoder();
/** Lines in one chunk of a snapshot. */
const linesPerChunk = 1_000;

/** A command as bytes, for `propose`. */
export function encodeKeyValueCommand({ key, value }: KeyValueCommand): Uint8Array {
  return encoder.encode(JSON.stringify(value === undefined ? [key] : [key, value]));
}

/** Keys and values in memory, as an example of a state machine. Each command's result is what stood under its key before; null for nothing. */
export interface MemoryKeyValue extends StateMachine<string | null> {
  get(key: string): string | null;
  apply(commands: readonly Entry[]): readonly (string | null)[];
  snapshot(): AsyncIterable<Uint8Array>;
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

class KeyValue implements MemoryKeyValue {
  #values = new Map<string, string>();

  get(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  apply(commands: readonly Entry[]): readonly (string | null)[] {
    return commands.map(({ data }) => {
      const command = parse(new TextDecoder().decode(data));
      if (command === null) return null;
      const [key, value] = command;
      const before = this.get(key);
      if (value === null) this.#values.delete(key);
      else if (value !== undefined) this.#values.set(key, value);
      return before;
    });
  }

  /** The copy is made now, before anything else can be applied; a generator's own body would not begin until somebody reads. */
  snapshot(): AsyncIterable<Uint8Array> {
    return linesOf([...this.#values]);
  }

  /** A line may be cut anywhere, within a character too. */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const values = new Map<string, string>();
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let rest = "";
    for await (const chunk of chunks) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [key, value] = parse(line) ?? [""];
        if (typeof value !== "string") throw new Error("The snapshot does not hold keys and values.");
        values.set(key, value);
      }
    }
    if (rest + decoder.decode() !== "") throw new Error("The snapshot ends within a line.");
    this.#values = values;
  }
}

async function* linesOf(values: readonly [string, string][]): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < values.length; at += linesPerChunk) {
    const lines = values.slice(at, at + linesPerChunk).map((pair) => `${JSON.stringify(pair)}\n`);
    yield encoder.encode(lines.join(""));
  }
}

/** Null for what was not made by {@link encodeKeyValueCommand}: anybody may propose anything, and no command may stop the nodes. */
function parse(text: string): [key: string, value?: string | null] | null {
  try {
    const [key, value] = JSON.parse(text) as unknown[];
    if (typeof key !== "string" || !(value === undefined || value === null || typeof value === "string")) return null;
    return value === undefined ? [key] : [key, value];
  } catch {
    return null;
  }
}

/** Makes an empty state machine. */
export function createMemoryKeyValue(): MemoryKeyValue {
  return new KeyValue();
}
