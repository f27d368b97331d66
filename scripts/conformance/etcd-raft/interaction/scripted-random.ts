import type { Random } from "./raft.js";

/**
 * Election timeouts as a scenario sets them. The core draws one whenever it resets its timer, so what a scenario will ask for must be
 * known before: whoever replays reads ahead.
 */
export class ScriptedRandom implements Random {
  /** What is added to the shortest timeout from now on. */
  extraTicks = 0;
  /** What was added the last time. */
  drawn = 0;

  uint32(): number {
    this.drawn = this.extraTicks;
    return this.drawn;
  }

  bytes(length: number): Uint8Array {
    return new Uint8Array(length);
  }

  fork(): Random {
    return new ScriptedRandom();
  }
}
