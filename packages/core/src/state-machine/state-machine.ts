import type { CodedError } from "@octopii/interfaces";

/** Where in the log the command stands that is being applied. The same on every replica. */
export interface ApplyContext {
  readonly index: number;
  readonly term: number;
}

/**
 * What the cluster replicates. Every replica applies the same commands in the same order, and must come to the same state: so
 * `apply` may depend on its arguments and the state alone, not on clocks, randomness, or anything outside.
 */
export interface StateMachine {
  /**
   * Changes the state and says what came of it. The caller of `propose` gets the result.
   * @param command - as it was proposed. Do not change it; copy what you keep of it if you want to be free of the batch it came in.
   * @throws {Rejection} to refuse a command. That is a result, the caller gets it, and the log goes on; the state must be unchanged.
   * Any other throw is taken for a bug: the node stops before it counts the command as applied, and names it.
   */
  apply(command: Uint8Array, context: ApplyContext): Uint8Array;
  /** Answers a question from the state, without changing it. */
  query(request: Uint8Array): Uint8Array;
  /**
   * The state as it is at this moment, in chunks of any size. It is read while later commands are applied, so it must not change with them:
   * copy what they will change, or keep it in a form that is never changed in place. Together with `restore` it lets the log be compacted
   * and a member that fell behind be brought up; without them the log grows, and every start applies all of it again.
   */
  snapshot?(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Becomes what {@link StateMachine.snapshot} gave, whatever it was before. The chunks are cut elsewhere than they were given. */
  restore?(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * The log up to `index` is gone, and a snapshot that is on stable storage stands in its place: whatever the state machine has kept outside of
   * its state for entries up to there can go too. A throw stops the node.
   */
  compact?(index: number): void | Promise<void>;
}

/** A state machine's refusal of a command: thrown by `apply`, received by the caller of `propose`, on whichever node that was. */
export class Rejection extends Error implements CodedError {
  readonly code = "OCTOPII_CORE_REJECTED" as const;
  readonly outcome = "failed" as const;

  /** @param message - one sentence for the caller. It must be the same on every replica. */
  constructor(message: string) {
    super(message);
    this.name = "Rejection";
  }
}

/** Whether `error` is a {@link Rejection}, by shape, so that it works across copies of this package. */
export function isRejection(error: unknown): error is Rejection {
  return error instanceof Error && (error as Partial<Rejection>).code === "OCTOPII_CORE_REJECTED";
}
