import { explainViolation } from "./explain.js";
import { type HistoryEvent, operationsOf } from "./history.js";
import type { Model, Operation } from "./model.js";
import { type LinearizabilityOptions, resolveLinearizabilityOptions } from "./options.js";
import { searchLinearization } from "./search.js";
import type { Evidence } from "./stuck-point.js";

/** Counts that every verdict carries. */
export interface CheckCounts {
  readonly operations: number;
  readonly partitions: number;
  /** Steps of the model over all partitions searched: the cost of the check. */
  readonly steps: number;
}

/** The first violating partition and why. */
export interface Violation<State, Input, Output> extends CheckCounts, Evidence<State, Input, Output> {
  readonly verdict: "violation";
  /** The partition's name as the model gave it, such as a key; empty if the model has no partitions. */
  readonly partition: string;
  /** Several lines for people. */
  readonly explanation: string;
}

/**
 * `linearizable`: every partition has a legal order. `violation`: one has none, whatever the others have. `unknown`: no partition
 * was seen to violate, but some exceeded the limits of the check.
 */
export type LinearizabilityResult<State, Input, Output> =
  | (CheckCounts & { readonly verdict: "linearizable" })
  | Violation<State, Input, Output>
  | (CheckCounts & { readonly verdict: "unknown"; readonly unknownPartitions: readonly string[] });

/**
 * Decides whether `history` is linearizable with respect to `model` (Herlihy and Wing 1990): whether each operation can be
 * thought to take effect at one moment between its call and its return. Synchronous and deterministic; stops at the first violation.
 *
 * Keep clients per key few and operations per key in the low thousands, and give each write a value of its own: an unread choice
 * between equal values is what makes a history expensive.
 * @throws {RangeError} if an operation's span is not one, or an option is out of range.
 * @throws {TypeError} if the model's partition loses or repeats operations.
 */
export function checkLinearizability<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  options: LinearizabilityOptions = {},
): LinearizabilityResult<State, Input, Output> {
  const config = resolveLinearizabilityOptions(options);
  history.forEach(assertSpan);
  const partitions = partitionsOf(model, history);
  const limits = { maxSteps: config.maxStepsPerPartition, maxCacheBytes: config.maxCacheBytes };
  const unknownPartitions: string[] = [];
  let steps = 0;
  for (const [partition, operations] of partitions) {
    const outcome = searchLinearization(model, operations, limits);
    steps += outcome.steps;
    if (outcome.verdict === "unknown") unknownPartitions.push(partition);
    if (outcome.verdict === "violation") {
      const counts = { operations: history.length, partitions: partitions.size, steps };
      const explanation = explainViolation(model, partition, outcome.evidence);
      return { verdict: "violation", ...counts, partition, ...outcome.evidence, explanation };
    }
  }
  const counts = { operations: history.length, partitions: partitions.size, steps };
  return unknownPartitions.length > 0 ? { verdict: "unknown", ...counts, unknownPartitions } : { verdict: "linearizable", ...counts };
}

/** {@link checkLinearizability} over events; the order of events, not their time, decides what precedes what. */
export function checkEvents<State, Input, Output>(
  model: Model<State, Input, Output>,
  events: readonly HistoryEvent<Input, Output>[],
  options: LinearizabilityOptions = {},
): LinearizabilityResult<State, Input, Output> {
  return checkLinearizability(model, operationsOf(events), options);
}

function assertSpan(operation: Operation<unknown, unknown>, index: number): void {
  if (Number.isFinite(operation.call) && operation.return >= operation.call) return;
  throw new RangeError(
    `Operation ${index} of client ${operation.client} spans ${operation.call} to ${operation.return}; call must be finite and not after return.`,
  );
}

function partitionsOf<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): ReadonlyMap<string, readonly Operation<Input, Output>[]> {
  if (model.partition === undefined) return new Map([["", history]]);
  const partitions = model.partition(history);
  let count = 0;
  const seen = new Set<Operation<Input, Output>>();
  for (const part of partitions.values()) {
    count += part.length;
    for (const operation of part) seen.add(operation);
  }
  if (count !== history.length || seen.size !== new Set(history).size) {
    throw new TypeError(
      `The partition of model ${model.name} holds ${count} operations of ${history.length}; each must stand in exactly one part.`,
    );
  }
  return partitions;
}
