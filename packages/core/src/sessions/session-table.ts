import type { ChunkReader } from "../state-machine/chunk-reader.js";
import type { SessionCommand } from "./envelope.js";

/** What is kept of a command's outcome. */
export type KeptResult = { readonly result: Uint8Array } | { readonly rejection: string };

/** Why a command of a session was not applied. */
export type SessionRefusal =
  /** There is no such session, or no longer. */
  | "expired"
  /** It was applied, or given up by its client, before; its result is kept no more. */
  | "answered"
  /** The client has too many commands whose answers it has not confirmed. */
  | "crowded";

interface Session {
  readonly id: number;
  /** Below this sequence nothing is applied any more, and no result kept. */
  answered: number;
  readonly results: Map<number, KeptResult>;
  bytes: number;
}

/**
 * Limits that every replica must share, or the replicas would part: so they are no options. The session that was used least recently, by the
 * order of the log, goes first: the log is the one clock that all replicas read alike. Source: Raft thesis section 6.3.
 */
export const sessionsMax = 4_096;
/** How many results of one session are kept at once; a client has fewer commands on their way. */
export const resultsMax = 1_024;
/** How many bytes of results are kept for all sessions together. */
export const resultBytesMax: number = 16 * 1024 * 1024;

/** What a kept result costs beyond its bytes. */
const resultOverheadBytes = 64;
const formatVersion = 1;
const encoder = new TextEncoder();

/** The sessions of a cluster's clients, as every replica knows them, and what became of their latest commands. Part of the replicated state. */
export class SessionTable {
  /** From the one least recently used to the latest. */
  readonly #sessions = new Map<number, Session>();
  #bytes = 0;

  get size(): number {
    return this.#sessions.size;
  }

  /** @param id - the index of the entry that opens it. */
  open(id: number): void {
    this.#sessions.set(id, { id, answered: 0, results: new Map(), bytes: 0 });
    this.#evict(id);
  }

  close(id: number): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#remove(session);
  }

  /** Applies a command unless it was applied before; then its result is what it was. @param apply - called once at most. */
  apply(command: SessionCommand, apply: () => KeptResult): KeptResult | SessionRefusal {
    const session = this.#sessions.get(command.session);
    if (session === undefined) return "expired";
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    this.#forgetAnswered(session, command.answered);
    const known = session.results.get(command.sequence);
    if (known !== undefined) return copyOf(known);
    if (command.sequence < session.answered) return "answered";
    if (session.results.size >= resultsMax || session.bytes >= resultBytesMax) return "crowded";
    const outcome = apply();
    // The caller's result is the caller's to change.
    const kept = copyOf(outcome);
    session.results.set(command.sequence, kept);
    this.#count(session, costOf(kept));
    this.#evict(session.id);
    return outcome;
  }

  /** In chunks: `version u8, sessions u32`, then of each, least recently used first: `id u64, answered u64, results u32`, and of each of these `sequence u64, kind u8, length u32, bytes`. */
  *encode(): Generator<Uint8Array, void, void> {
    const head = new Uint8Array(5);
    head[0] = formatVersion;
    viewOf(head).setUint32(1, this.#sessions.size, true);
    yield head;
    for (const session of this.#sessions.values()) yield encodeSession(session);
  }

  /** Becomes what {@link encode} wrote. */
  async restore(reader: ChunkReader): Promise<void> {
    this.#sessions.clear();
    this.#bytes = 0;
    const head = viewOf(await reader.expect(5));
    const version = head.getUint8(0);
    if (version !== formatVersion) {
      throw new Error(
        `The snapshot's sessions have format ${version}; this release reads format ${formatVersion}: run the one that wrote it.`,
      );
    }
    const count = head.getUint32(1, true);
    if (count > sessionsMax) throw new Error(`The snapshot tells of ${count} sessions; there are ${sessionsMax} at most.`);
    for (let i = 0; i < count; i++) await this.#restoreOne(reader);
  }

  async #restoreOne(reader: ChunkReader): Promise<void> {
    const head = viewOf(await reader.expect(20));
    const session: Session = { id: getU64(head, 0), answered: getU64(head, 8), results: new Map(), bytes: 0 };
    const count = head.getUint32(16, true);
    if (count > resultsMax) throw new Error(`The snapshot tells of ${count} results in a session; there are ${resultsMax} at most.`);
    this.#sessions.set(session.id, session);
    for (let i = 0; i < count; i++) {
      const result = viewOf(await reader.expect(13));
      const length = result.getUint32(9, true);
      if (length > resultBytesMax)
        throw new Error(`The snapshot tells of a result of ${length} bytes; there are ${resultBytesMax} at most.`);
      const bytes = (await reader.expect(length)).slice();
      const kept = result.getUint8(8) === 1 ? { rejection: new TextDecoder().decode(bytes) } : { result: bytes };
      session.results.set(getU64(result, 0), kept);
      this.#count(session, costOf(kept));
    }
  }

  #forgetAnswered(session: Session, answered: number): void {
    if (answered <= session.answered) return;
    session.answered = answered;
    for (const [sequence, kept] of session.results) {
      if (sequence >= answered) continue;
      session.results.delete(sequence);
      this.#count(session, -costOf(kept));
    }
  }

  /** Makes room. @param spared - was used just now. */
  #evict(spared: number): void {
    for (const session of this.#sessions.values()) {
      if (this.#sessions.size <= sessionsMax && this.#bytes <= resultBytesMax) return;
      if (session.id !== spared) this.#remove(session);
    }
  }

  #remove(session: Session): void {
    this.#sessions.delete(session.id);
    this.#bytes -= session.bytes;
  }

  #count(session: Session, bytes: number): void {
    session.bytes += bytes;
    this.#bytes += bytes;
  }
}

/** A result of one's own, which keeps no larger buffer alive. */
const copyOf = (kept: KeptResult): KeptResult => ("result" in kept ? { result: kept.result.slice() } : kept);
const bytesOf = (kept: KeptResult): Uint8Array => ("result" in kept ? kept.result : encoder.encode(kept.rejection));
const costOf = (kept: KeptResult): number => bytesOf(kept).length + resultOverheadBytes;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const twoTo32 = 2 ** 32;
const getU64 = (view: DataView, at: number): number => view.getUint32(at + 4, true) * twoTo32 + view.getUint32(at, true);

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % twoTo32, true);
  view.setUint32(at + 4, value / twoTo32, true);
}

function encodeSession({ id, answered, results }: Session): Uint8Array {
  const all = [...results].map(([sequence, kept]) => ({ sequence, isRejection: "rejection" in kept, bytes: bytesOf(kept) }));
  const encoded = new Uint8Array(all.reduce((sum, { bytes }) => sum + 13 + bytes.length, 20));
  const view = viewOf(encoded);
  setU64(view, 0, id);
  setU64(view, 8, answered);
  view.setUint32(16, all.length, true);
  let at = 20;
  for (const { sequence, isRejection, bytes } of all) {
    setU64(view, at, sequence);
    view.setUint8(at + 8, isRejection ? 1 : 0);
    view.setUint32(at + 9, bytes.length, true);
    encoded.set(bytes, at + 13);
    at += 13 + bytes.length;
  }
  return encoded;
}
