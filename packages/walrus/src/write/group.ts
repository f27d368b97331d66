import { FrameBuilder } from "./frame-builder.js";

type Settle = (value: unknown) => void;

let resolveNew: Settle;
/** One executor for all promises, so that an append makes no closure. */
const executor = (resolve: Settle): void => {
  resolveNew = resolve;
};

/** The records that share one write, and who waits for them. */
export class Group {
  readonly frame: FrameBuilder = new FrameBuilder();
  /** Whether anybody in it waits for stable storage. */
  durable = false;
  /** What the records count for against `maxQueuedBytes`. */
  queuedBytes = 0;
  #resolves: Settle[] = [];
  #values: unknown[] = [];

  /** How many calls wait for it. */
  get waiting(): number {
    return this.#resolves.length;
  }

  /** A promise that gives `value` once the group is written, and durable if it is to be. */
  wait<T>(value: T): Promise<T> {
    const promise = new Promise<unknown>(executor);
    this.#resolves.push(resolveNew);
    this.#values.push(value);
    return promise as Promise<T>;
  }

  /** Resolves everybody who waits, in the order of their calls. */
  resolve(): void {
    const resolves = this.#resolves;
    const values = this.#values;
    for (let at = 0; at < resolves.length; at++) resolves[at]?.(values[at]);
  }

  /** Rejects everybody who waits, in the order of their calls. */
  reject(error: Error): void {
    // One promise that is rejected for all, so that no call need keep a function for what hardly ever happens.
    const rejected = Promise.reject(error);
    rejected.catch(() => undefined);
    for (const resolve of this.#resolves) resolve(rejected);
  }

  /** Makes the group as new. */
  clear(): void {
    this.frame.clear();
    this.durable = false;
    this.queuedBytes = 0;
    this.#resolves = [];
    this.#values = [];
  }
}
