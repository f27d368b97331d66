import type { Clock, Logger, NodeId, Scheduler } from "@octopii/interfaces";
import type { SnapshotReport } from "../core/input-output.js";
import type { InstallSnapshot } from "../messages.js";
import type { PeerNetwork, SnapshotStorage, SnapshotWriter, StateMachine } from "../ports.js";
import { type Entry, entryMemoryBytes, type GroupId, type Index, type SnapshotMetadata, type Term } from "../types.js";
import type { RaftNodeConfig } from "./node-options.js";
import { orAborted, untilAborted } from "./or-aborted.js";
import { snapshotFailed } from "./refusals.js";
import { Throttle } from "./throttle.js";
import { Watchdog } from "./watchdog.js";

/** What the keeper of snapshots tells its node. */
export interface SnapshotEvents {
  /** A snapshot of our own is safe; entries up to `compactTo` may go. */
  taken(snapshot: SnapshotMetadata, compactTo: Index): void;
  reported(report: SnapshotReport): void;
  /** A new snapshot is wanted, at the next moment at which one can be begun. */
  wanted(): void;
}

/** How long a follower is not tried again when our own snapshot cannot be read: longer with each failure. */
const retryAfterMs = { least: 100, most: 10_000 };

/** What snapshots are made with. */
export interface SnapshotPorts {
  readonly group: GroupId;
  readonly storage: SnapshotStorage;
  readonly stateMachine: Pick<StateMachine<unknown>, "snapshot">;
  readonly network: PeerNetwork;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger | undefined;
}

/**
 * Takes snapshots when enough was applied, sends them to followers that need one, and stores those that come in. All three are streams, held
 * to a rate, and beside the log: none of them makes a proposal wait.
 */
export class Snapshots {
  readonly #ports: SnapshotPorts;
  readonly #config: RaftNodeConfig;
  readonly #events: SnapshotEvents;
  readonly #stopping = new AbortController();
  /** What is under way, so that a close can wait for its end. */
  readonly #running = new Set<Promise<unknown>>();
  /** Snapshots of our own that are being read, until storage has let go of them. */
  readonly #reading = new Set<Promise<void>>();
  /** To whom, and what ends it. */
  readonly #sending = new Map<NodeId, AbortController>();
  #taking: Promise<SnapshotMetadata> | null = null;
  /** The snapshot that comes in. */
  #receiving: { readonly term: Term; readonly given: AbortController; readonly ended: Promise<unknown> } | null = null;
  #lastIndex: Index;
  #entriesSince = 0;
  #bytesSince = 0;
  /** The newest of our own, if it could not be read when a follower needed it: another must take its place. 0 for none. */
  #unreadableIndex: Index = 0;
  #unreadableTimes = 0;

  /** @param lastIndex - of the newest snapshot; 0 for none. */
  constructor(ports: SnapshotPorts, config: RaftNodeConfig, lastIndex: Index, events: SnapshotEvents) {
    this.#ports = ports;
    this.#config = config;
    this.#lastIndex = lastIndex;
    this.#events = events;
  }

  /** Whether enough was applied for the next one. Called for every batch, with what is applied now. */
  isDueAfter(entries: readonly Entry[]): boolean {
    this.#entriesSince += entries.length;
    for (const entry of entries) this.#bytesSince += entry.data.length + entryMemoryBytes;
    if (this.#taking !== null || this.#ports.stateMachine.snapshot === undefined) return false;
    const { snapshotEntries, snapshotBytes } = this.#config;
    return (snapshotEntries > 0 && this.#entriesSince >= snapshotEntries) || (snapshotBytes > 0 && this.#bytesSince >= snapshotBytes);
  }

  /**
   * Takes a snapshot of the state machine, which is idle at `metadata.index` at this very moment. One at a time: while one is being taken,
   * its promise is given. Never throws.
   */
  take(metadata: SnapshotMetadata): Promise<SnapshotMetadata> {
    if (this.#taking !== null) return this.#taking;
    if (metadata.index === this.#lastIndex && metadata.index !== this.#unreadableIndex) return Promise.resolve(metadata);
    this.#entriesSince = 0;
    this.#bytesSince = 0;
    const taking = this.#track(this.#takeNow(metadata));
    this.#taking = taking;
    const done = (): void => {
      this.#taking = null;
    };
    taking.then(done, done);
    return taking;
  }

  /** Asks the state machine before the first `await`. */
  async #takeNow(metadata: SnapshotMetadata): Promise<SnapshotMetadata> {
    const watchdog = this.#watchdog();
    try {
      const source = this.#ports.stateMachine.snapshot?.();
      if (source === undefined) throw new Error("The state machine has no `snapshot` method.");
      const { signal } = watchdog;
      const chunks = this.#throttle().limit(untilAborted(source, signal), signal);
      const writer = await this.#create(metadata, signal).catch(async (error: unknown) => {
        // Nobody has begun to read it, and it may hold something until somebody has.
        await source[Symbol.asyncIterator]().return?.();
        throw error;
      });
      await this.#fill(writer, watchdog.watch(chunks), signal);
    } catch (error) {
      throw snapshotFailed("it could not be taken", error);
    } finally {
      watchdog.end();
    }
    return this.#taken(metadata);
  }

  #taken(metadata: SnapshotMetadata): SnapshotMetadata {
    if (metadata.index >= this.#unreadableIndex) this.#unreadableIndex = 0;
    // One from the leader may have overtaken it.
    if (this.#stopping.signal.aborted || metadata.index <= this.#lastIndex) return metadata;
    this.#lastIndex = metadata.index;
    this.#events.taken(metadata, Math.max(0, metadata.index - this.#config.tailEntries));
    return metadata;
  }

  /** A follower needs `message.snapshot`. */
  send(message: InstallSnapshot): void {
    const { to, snapshot } = message;
    if (this.#sending.has(to)) return this.#events.reported({ peer: to, delivered: false });
    const given = new AbortController();
    this.#sending.set(to, given);
    const sent = this.#deliver(to, message, snapshot.index, given.signal).then(
      () => true,
      async (error: unknown) => {
        this.#ports.logger?.warn({ peer: to, index: snapshot.index, error }, "A snapshot could not be delivered; it is sent again.");
        if (this.#unreadableTimes > 0) await this.#pause();
        return false;
      },
    );
    const reported = sent.then((delivered) => {
      this.#sending.delete(to);
      if (!this.#stopping.signal.aborted) this.#events.reported({ peer: to, delivered });
    });
    void this.#track(reported);
  }

  /** We lead no more: what our followers need is another's to send. */
  steppedDown(): void {
    for (const given of this.#sending.values()) given.abort(snapshotFailed("this node does not lead any more"));
  }

  async #deliver(to: NodeId, message: InstallSnapshot, index: Index, given: AbortSignal): Promise<void> {
    const watchdog = this.#watchdog();
    try {
      const source = this.#readOwn(index);
      const chunks = untilAborted(watchdog.watch(this.#throttle().limit(source, watchdog.signal)), given);
      await orAborted(this.#ports.network.sendSnapshot(to, message, chunks, watchdog.signal), watchdog.signal);
    } finally {
      watchdog.end();
    }
  }

  /** Our own snapshot, to be sent. If it is damaged, everybody who needs it would wait for ever: a new one takes its place. */
  async *#readOwn(index: Index): AsyncGenerator<Uint8Array, void, void> {
    let over = (): void => undefined;
    const reading = new Promise<void>((resolve) => {
      over = resolve;
    });
    this.#reading.add(reading);
    try {
      yield* this.#ports.storage.read(this.#ports.group, index);
      this.#unreadableTimes = 0;
    } catch (error) {
      this.#unreadableTimes++;
      if (index === this.#lastIndex) {
        this.#unreadableIndex = index;
        this.#events.wanted();
      }
      throw error;
    } finally {
      this.#reading.delete(reading);
      over();
    }
  }

  /** Before what cannot be read is tried again; less if the node closes. */
  #pause(): Promise<void> {
    const { least, most } = retryAfterMs;
    const delayMs = Math.min(most, least * 2 ** Math.min(10, this.#unreadableTimes - 1));
    return new Promise((resolve) => {
      const timer = this.#ports.scheduler.setTimer(delayMs, resolve);
      const stopped = (): void => {
        timer.cancel();
        resolve();
      };
      if (this.#stopping.signal.aborted) stopped();
      else this.#stopping.signal.addEventListener("abort", stopped, { once: true });
    });
  }

  /** Stores a snapshot that the leader sends. Resolves when it is safe. That of a later leader takes the place of one that is on its way. */
  async receive(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const before = this.#receiving;
    if (before !== null && before.term < message.term) {
      before.given.abort(snapshotFailed("a later leader sends another one"));
      await before.ended;
    }
    if (this.#stopping.signal.aborted || this.#receiving !== null) throw snapshotFailed("this node takes another one just now");
    const given = new AbortController();
    const received = this.#receive(message, chunks, given.signal);
    const receiving = { term: message.term, given, ended: received.catch(() => undefined) };
    this.#receiving = receiving;
    try {
      await received;
    } finally {
      this.#receiving = null;
    }
  }

  async #receive(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>, given: AbortSignal): Promise<void> {
    const watchdog = this.#watchdog();
    try {
      const writer = await this.#track(this.#create(message.snapshot, watchdog.signal));
      await this.#track(this.#fill(writer, untilAborted(watchdog.watch(chunks), given), watchdog.signal));
    } finally {
      watchdog.end();
    }
  }

  /** The leader's snapshot of `index` took the place of the log. */
  installed(index: Index): void {
    this.#lastIndex = Math.max(this.#lastIndex, index);
    this.#entriesSince = 0;
    this.#bytesSince = 0;
  }

  /** Drops what newer snapshots have replaced. */
  async removeBelow(index: Index): Promise<void> {
    const removed = this.#ports.storage.removeBelow(this.#ports.group, index);
    await this.#track(this.#ended(removed));
    return removed;
  }

  /** Gives up what is under way; resolves when nothing is. */
  async stop(): Promise<void> {
    this.#stopping.abort(snapshotFailed("the node was closed"));
    await Promise.allSettled(this.#running);
    // A transfer that was given up does not wait for the read that it was in; whoever closes the node wants its files closed.
    await this.#ended(Promise.all(this.#reading));
  }

  /** A storage that hangs is given up like a stream that does; what it makes after that is thrown away. */
  async #create(metadata: SnapshotMetadata, signal: AbortSignal): Promise<SnapshotWriter> {
    const created = this.#ports.storage.create(this.#ports.group, metadata);
    try {
      return await orAborted(created, signal);
    } catch (error) {
      created.then((writer) => writer.abort()).catch(() => undefined);
      throw error;
    }
  }

  async #fill(writer: SnapshotWriter, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    try {
      for await (const chunk of chunks) {
        this.#stopping.signal.throwIfAborted();
        await orAborted(writer.write(chunk), signal);
      }
      await orAborted(writer.commit(), signal);
    } finally {
      await this.#ended(writer.abort());
    }
  }

  /** Waits for the end of what cannot be aborted, though not for ever: what hangs must not keep others, or a close, waiting. */
  #ended(work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#ports.scheduler.setTimer(this.#config.snapshotStallMs, resolve);
      const over = (): void => {
        timer.cancel();
        resolve();
      };
      work.then(over, over);
    });
  }

  #throttle(): Throttle {
    return new Throttle(this.#ports.clock, this.#ports.scheduler, this.#config.snapshotBytesPerSecond);
  }

  #watchdog(): Watchdog {
    return new Watchdog(this.#ports.scheduler, this.#config.snapshotStallMs, this.#stopping.signal);
  }

  #track<Value>(work: Promise<Value>): Promise<Value> {
    this.#running.add(work);
    const done = (): void => {
      this.#running.delete(work);
    };
    work.then(done, done);
    return work;
  }
}
