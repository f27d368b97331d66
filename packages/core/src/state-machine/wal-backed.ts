import type { Walrus } from "@octopii/walrus";
import { ChunkReader } from "./chunk-reader.js";
import { decodeRecord, encodeRecord } from "./journal.js";
import type { ApplyContext, StateMachine } from "./state-machine.js";

/** Settings of {@link walBacked}. */
export interface WalBackedOptions {
  /** The topic of the log that holds the commands. Default `state-machine`. */
  readonly topic?: string;
}

/** A state machine that keeps a log of its own. */
export interface WalBacked extends StateMachine {
  /** The index, in Raft's log, of the last entry that this state has in it. */
  readonly appliedIndex: number;
  /** Resolves when all that was applied is in the log of its own, as durable as that log is. @throws what an append failed with. */
  flush(): Promise<void>;
}

/** What {@link walBacked} wraps: its state must be able to leave, or its log could never be shortened. */
export type Restorable = StateMachine & {
  readonly snapshot: NonNullable<StateMachine["snapshot"]>;
  readonly restore: NonNullable<StateMachine["restore"]>;
};

const headBytes = 9;
const snapshotVersion = 1;
const nothing = new Uint8Array(0);
const twoTo32 = 2 ** 32;

/**
 * Keeps the commands that a state machine applied in a log of its own, and brings it back from there: so the state can be read before the node
 * has joined its cluster, and the history of commands outlives what Raft compacts. Each command stands there with its index in Raft's log, so
 * that what Raft gives again after a restart is not applied twice. Queries are not logged, and neither are commands that were refused.
 *
 * It is shortened when Raft's log is: to a snapshot of the state, and what came after. Nothing waits for this log: what a crash takes from it,
 * Raft's log has. If it fails, the state machine throws at the next command, and the node stops.
 * @param inner - as it is when it is new.
 * @param wal - stays open for as long as the node, and is closed by its owner after it.
 * @throws Error if the log holds what this release cannot read.
 */
export async function walBacked(inner: Restorable, wal: Walrus, { topic = "state-machine" }: WalBackedOptions = {}): Promise<WalBacked> {
  const machine = new WalBackedStateMachine(inner, wal, topic);
  await machine.replay();
  return machine;
}

class WalBackedStateMachine implements WalBacked {
  readonly #inner: Restorable;
  readonly #wal: Walrus;
  readonly #topic: string;
  #appliedIndex = 0;
  #failure: unknown = null;
  #lastAppend: Promise<unknown> = Promise.resolve();
  /** A snapshot goes into the log. */
  #writing: Promise<void> | null = null;

  constructor(inner: Restorable, wal: Walrus, topic: string) {
    this.#inner = inner;
    this.#wal = wal;
    this.#topic = topic;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  apply(command: Uint8Array, context: ApplyContext): Uint8Array {
    if (this.#failure !== null) throw new Error("The state machine's own log has failed; open it anew.", { cause: this.#failure });
    // It was applied before the restart. Nobody waits for its result any more.
    if (context.index <= this.#appliedIndex) return nothing;
    const result = this.#inner.apply(command, context);
    this.#appliedIndex = context.index;
    this.#append(encodeRecord("command", context.index, command));
    return result;
  }

  query(request: Uint8Array): Uint8Array {
    return this.#inner.query(request);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    const head = new Uint8Array(headBytes);
    const view = new DataView(head.buffer);
    head[0] = snapshotVersion;
    view.setUint32(1, this.#appliedIndex % twoTo32, true);
    view.setUint32(5, this.#appliedIndex / twoTo32, true);
    return concatenated(head, this.#inner.snapshot());
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const reader = new ChunkReader(chunks);
    const head = await reader.expect(headBytes);
    if (head[0] !== snapshotVersion)
      throw new Error(`The snapshot has format ${String(head[0])}; this release reads format ${snapshotVersion}.`);
    const view = new DataView(head.buffer, head.byteOffset);
    const index = view.getUint32(5, true) * twoTo32 + view.getUint32(1, true);
    // What came back from the log of our own goes further.
    if (index <= this.#appliedIndex) return;
    await this.#writing?.catch(() => undefined);
    await this.#write(index, reader.remaining(), (copied) => this.#inner.restore(copied));
    this.#appliedIndex = index;
  }

  /** The log of our own is shortened along with Raft's. */
  async compact(): Promise<void> {
    if (this.#failure !== null || this.#writing !== null) return;
    await this.#write(this.#appliedIndex, this.#inner.snapshot());
  }

  async flush(): Promise<void> {
    await this.#lastAppend;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Brings the state back: the last snapshot that is whole, and what was applied after it. */
  async replay(): Promise<void> {
    const snapshot = await this.#lastSnapshot();
    if (snapshot !== null) {
      await this.#inner.restore(this.#chunks(snapshot.from, snapshot.to));
      this.#appliedIndex = snapshot.index;
    }
    for await (const { payload } of this.#wal.entries(this.#topic, snapshot?.from ?? this.#wal.bounds(this.#topic).first)) {
      const record = decodeRecord(payload);
      if (record.kind !== "command" || record.index <= this.#appliedIndex) continue;
      this.#inner.apply(record.bytes, { index: record.index, term: 0 });
      this.#appliedIndex = record.index;
    }
  }

  /** Where the last whole snapshot stands in the log, commands among its chunks. */
  async #lastSnapshot(): Promise<{ from: number; to: number; index: number } | null> {
    let from: number | null = null;
    let whole: { from: number; to: number; index: number } | null = null;
    for await (const { index: at, payload } of this.#wal.entries(this.#topic, this.#wal.bounds(this.#topic).first)) {
      const { kind, index } = decodeRecord(payload);
      if (kind === "begin") from = at;
      else if (kind === "end" && from !== null) whole = { from, to: at, index };
    }
    return whole;
  }

  async *#chunks(from: number, to: number): AsyncGenerator<Uint8Array, void, void> {
    for await (const { index, payload } of this.#wal.entries(this.#topic, from)) {
      if (index >= to) return;
      const { kind, bytes } = decodeRecord(payload);
      if (kind === "chunk") yield bytes;
    }
  }

  /** Puts a snapshot into the log, and drops what is before it. @param consume - takes the chunks on their way; default nobody. */
  async #write(
    index: number,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    consume: (chunks: AsyncIterable<Uint8Array>) => Promise<void> = drain,
  ): Promise<void> {
    // At once, before any command that comes later: what stands before it is dropped in the end.
    const begun = this.#wal.append(this.#topic, encodeRecord("begin", index));
    this.#writing = (async () => {
      const from = await begun;
      await consume(this.#copied(chunks));
      await this.#wal.append(this.#topic, encodeRecord("end", index), { flush: true });
      await this.#wal.truncateFront(this.#topic, from);
    })();
    try {
      await this.#writing;
    } finally {
      this.#writing = null;
    }
  }

  async *#copied(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of chunks) {
      await this.#wal.append(this.#topic, encodeRecord("chunk", 0, chunk));
      yield chunk;
    }
  }

  #append(record: Uint8Array): void {
    this.#lastAppend = this.#wal.append(this.#topic, record).catch((error: unknown) => {
      this.#failure ??= error;
    });
  }
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of chunks);
}

async function* concatenated(
  head: Uint8Array,
  rest: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  yield head;
  yield* rest;
}
