import type { Clock, Logger, NodeId, Scheduler } from "@octopii/interfaces";
import type { SnapshotStorage, SnapshotWriter } from "@octopii/raft";
import type { NodeEvent } from "./node-events.js";
import { createRuntime, type Runtime } from "./runtime/runtime.js";
import type { TaskOptions } from "./runtime/task.js";
import type { TaskGroup } from "./runtime/task-group.js";

/** Where a node's background work may run. */
export interface BackgroundParts {
  readonly runtime?: Runtime;
  readonly ownsRuntime?: boolean;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

/**
 * What a node does in the background, as one group of tasks of a runtime: the one that it was given, or one of its own. All of the node's
 * timers and turns go by the group's scheduler, and whatever lives longer than a call is a task of it.
 */
export class Background {
  readonly tasks: TaskGroup;
  readonly #runtime: Runtime;
  readonly #isOwn: boolean;
  readonly #policy: Pick<TaskOptions, "onError">;

  /** @param closeNode - for when the runtime closes first: the node leaves in its own order. */
  constructor(id: NodeId, parts: BackgroundParts, closeNode: () => Promise<unknown>) {
    const { runtime, clock, scheduler, logger } = parts;
    this.#isOwn = runtime === undefined || parts.ownsRuntime === true;
    // Without a word from its owner, a node uses no threads; so it needs none to be installed.
    this.#runtime = runtime ?? createRuntime({ workers: 0 }, { clock, scheduler, logger });
    // What fails, the node tells by itself; nobody else watches a runtime that it made for itself alone.
    this.#policy = runtime === undefined ? { onError: "ignore" } : {};
    this.tasks = this.#runtime.group(`node ${id}`, { beforeClose: closeNode });
  }

  /**
   * The replica as a task, which lasts until the node closes, and fails if the node stops by itself.
   * @returns `onEvent`, as it is to be told from now on.
   */
  replica(onEvent: ((event: NodeEvent) => void) | null): (event: NodeEvent) => void {
    let stopped: (error: unknown) => void = () => undefined;
    const life = ({ signal }: { signal: AbortSignal }): Promise<void> =>
      new Promise((resolve, reject) => {
        stopped = reject;
        signal.addEventListener("abort", () => resolve());
      });
    this.tasks.spawn(life, { name: "replica", onClose: "cancel", ...this.#policy });
    return (event) => {
      if (event.type === "stopped") stopped(event.error);
      onEvent?.(event);
    };
  }

  /** The same storage, in which each snapshot that is being written is a task; one that is cancelled by a close is given up. */
  snapshots(storage: SnapshotStorage): SnapshotStorage {
    const create: SnapshotStorage["create"] = async (group, metadata) => {
      const writer = await storage.create(group, metadata);
      return new SnapshotTask(writer, this.tasks, { name: `snapshot ${metadata.index}`, ...this.#policy });
    };
    return {
      create,
      list: (group) => storage.list(group),
      read: (group, index) => storage.read(group, index),
      removeBelow: (group, index) => storage.removeBelow(group, index),
    };
  }

  /** Ends what is left, and the runtime if it is the node's own. */
  async close(): Promise<void> {
    await this.tasks.close();
    // Where its close is what closes us, it waits for us.
    if (this.#isOwn && this.#runtime.state === "open") await this.#runtime.close();
  }
}

/** A snapshot that is being written. */
class SnapshotTask implements SnapshotWriter {
  readonly #writer: SnapshotWriter;
  #signal: AbortSignal | null = null;
  #end: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(writer: SnapshotWriter, tasks: TaskGroup, options: TaskOptions) {
    this.#writer = writer;
    const life = ({ signal }: { signal: AbortSignal }): Promise<void> => {
      this.#signal = signal;
      return new Promise((resolve, reject) => {
        this.#end = resolve;
        this.#fail = reject;
      });
    };
    tasks.spawn(life, options);
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#step(() => this.#writer.write(chunk));
  }

  async commit(): Promise<void> {
    await this.#step(() => this.#writer.commit());
    this.#end();
  }

  async abort(): Promise<void> {
    await this.#writer.abort();
    this.#end();
  }

  async #step(work: () => Promise<void>): Promise<void> {
    try {
      this.#signal?.throwIfAborted();
      await work();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }
}
