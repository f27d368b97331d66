import { WalrusError } from "../errors.js";
import { MAX_CURSOR_NAME_BYTES } from "../format/format.js";
import type { WalrusConfig } from "../options.js";
import type { LogReader } from "../read/log-reader.js";
import type { LogState } from "../state/log-state.js";
import type { CursorOptions } from "../types.js";
import type { Intake } from "../write/intake.js";
import { type CursorHost, LogCursor } from "./log-cursor.js";

const PERSIST_EVERY = 1000;

/** What the cursors of a log work with. */
export interface CursorBookParts {
  readonly config: WalrusConfig;
  readonly state: LogState;
  readonly intake: Intake;
  readonly reader: LogReader;
  readonly checkOpen: () => void;
  readonly kick: () => void;
}

/** The cursors of a log. */
export class CursorBook {
  readonly #parts: CursorBookParts;
  readonly #open = new Map<string, LogCursor>();
  readonly #host: CursorHost;
  /** The keys of all there are, stored or open. */
  readonly #known = new Set<string>();

  constructor(parts: CursorBookParts) {
    this.#parts = parts;
    const { state, reader, intake } = parts;
    for (const { name: topic, cursors } of state.topics()) {
      for (const name of cursors.keys()) this.#known.add(keyOf(topic, name));
    }
    const clamp = (topic: string, position: number): number => state.topic(topic)?.clamp(position) ?? 1;
    this.#host = {
      read: async (cursor, options) => {
        parts.checkOpen();
        const { topic } = this.#attach(cursor);
        // An end that is being cut just now: what would be read is about to be replaced.
        while (intake.cutsOf(topic) !== (state.topic(topic)?.cuts ?? 0)) await this.#applied();
        const cuts = intake.cutsOf(topic);
        return { entries: await reader.read(topic, clamp(topic, cursor.position), options), cuts };
      },
      isUncut: (topic, cuts) => intake.cutsOf(topic) === cuts,
      store: (topic, name, position) => this.#store(topic, name, position),
      clamp,
    };
  }

  open(topic: string, name: string, { mode = "strictly-at-once", persistEvery = PERSIST_EVERY }: CursorOptions): LogCursor {
    checkName(name);
    if (mode !== "strictly-at-once" && mode !== "at-least-once") throw new TypeError(`mode must be strictly-at-once or at-least-once.`);
    if (!Number.isSafeInteger(persistEvery) || persistEvery < 1 || persistEvery > 1e9)
      throw new RangeError(`persistEvery must be a whole number from 1 to 1000000000, not ${String(persistEvery)}.`);
    const key = keyOf(topic, name);
    const known = this.#open.get(key);
    if (known !== undefined) return this.#attach(known);
    const index = this.#parts.state.topic(topic);
    this.#admit(key);
    const position = index?.cursors.get(name) ?? index?.first ?? 1;
    const cursor = new LogCursor(this.#host, topic, name, position, mode === "strictly-at-once" ? 0 : persistEvery);
    this.#open.set(key, cursor);
    return this.#attach(cursor);
  }

  #admit(key: string): void {
    const { maxCursors } = this.#parts.config;
    const known = this.#known;
    if (!known.has(key) && known.size >= maxCursors) {
      const message = `The log has ${known.size} cursors and maxCursors is ${maxCursors}; drop some, or raise it.`;
      throw new WalrusError("OCTOPII_WALRUS_TOO_MANY_CURSORS", message, { outcome: "failed" });
    }
    known.add(key);
  }

  /** The topic tells its cursors of truncations, once there is a topic. */
  #attach(cursor: LogCursor): LogCursor {
    this.#parts.state.topic(cursor.topic)?.liveCursors.add(cursor);
    return cursor;
  }

  /** Resolves when all that was taken so far has been written. */
  async #applied(): Promise<void> {
    const { intake, kick, checkOpen } = this.#parts;
    const barrier = intake.barrier(false);
    kick();
    await barrier;
    checkOpen();
  }

  async drop(topic: string, name: string): Promise<void> {
    checkName(name);
    const key = keyOf(topic, name);
    const cursor = this.#open.get(key);
    if (cursor !== undefined) this.#parts.state.topic(topic)?.liveCursors.delete(cursor);
    this.#open.delete(key);
    this.#known.delete(key);
    const dropped = this.#parts.intake.dropCursor(topic, name, true);
    this.#parts.kick();
    await dropped;
  }

  /** Takes the places of all cursors that are ahead of what is stored. */
  checkpointAll(): Promise<unknown> {
    const { intake } = this.#parts;
    const ahead = [...this.#open.values()].filter((cursor) => cursor.isAhead);
    return Promise.allSettled(ahead.map(({ topic, name, position }) => intake.cursor(topic, name, position, true)));
  }

  async #store(topic: string, name: string, position: number): Promise<void> {
    const { checkOpen, intake, kick, config } = this.#parts;
    checkOpen();
    const stored = intake.cursor(topic, name, position, true);
    kick();
    await stored;
    if (config.retention === "consumed") this.#dropConsumed(topic);
  }

  /** Drops what all cursors of the topic have passed, where that empties a run: for less it is not worth a record. */
  #dropConsumed(name: string): void {
    const { state, intake, kick } = this.#parts;
    const topic = state.topic(name);
    const run = topic?.runs[0];
    if (topic === undefined || run === undefined) return;
    let passed = Number.POSITIVE_INFINITY;
    for (const position of topic.cursors.values()) passed = Math.min(passed, position);
    if (passed < run.next || passed <= (intake.bounds(name)?.first ?? 0)) return;
    // The place is stored, whatever becomes of this: where it is refused or fails, nothing was given back, and whoever comes next tries again.
    try {
      intake.batch([{ topic: name, truncateFront: passed }], false).catch(() => undefined);
    } catch {
      return;
    }
    kick();
  }
}

function keyOf(topic: string, name: string): string {
  return JSON.stringify([topic, name]);
}

function checkName(name: string): void {
  if (typeof name !== "string" || name === "" || /\p{Surrogate}/u.test(name))
    throw new TypeError("A cursor's name must be a well-formed string of at least one character.");
  const bytes = new TextEncoder().encode(name).length;
  if (bytes <= MAX_CURSOR_NAME_BYTES) return;
  const message = `A cursor's name of ${bytes} bytes is too long; ${MAX_CURSOR_NAME_BYTES} are allowed.`;
  throw new WalrusError("OCTOPII_WALRUS_TOO_LARGE", message, { outcome: "failed" });
}
