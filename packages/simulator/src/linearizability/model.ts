/** One call of a client against the system under test, with the span in which it must have taken effect. */
export interface Operation<Input, Output> {
  /** Who called. Only reports use it: the checker knows nothing but the spans. */
  readonly client: number;
  readonly input: Input;
  /** What the system answered. `undefined`: nobody knows the answer; a model then accepts any. */
  readonly output: Output | undefined;
  /** When it was called: any finite number, in the unit that the whole history uses (a time, or an index of events). */
  readonly call: number;
  /**
   * When the answer came, `>= call`. `Infinity`: no answer ever came, so the operation may have taken effect at any moment
   * after `call`, or never. Two operations that touch in one instant count as concurrent.
   */
  readonly return: number;
}

/**
 * The sequential specification that a history is checked against. Methods must be pure: the checker keeps states and
 * compares them later, so `step` returns a new state and never changes the one it was given.
 *
 * `State` must not include `null`, which `step` uses for "not possible"; wrap a nullable value in an object.
 */
export interface Model<State, Input, Output> {
  /** Stands in reports. */
  readonly name: string;
  /** The state before the first operation (of one partition, if there is `partition`). */
  init(): State;
  /**
   * The state after `input`, or `null` if `output` could not be the answer in `state`.
   * @param output - `undefined` if the answer is unknown: then decide by the input alone and refuse nothing.
   */
  step(state: State, input: Input, output: Output | undefined): State | null;
  /** Whether two states are the same. Default: `Object.is`. */
  equal?(a: State, b: State): boolean;
  /** An unsigned 32-bit hash, the same for equal states. Default: none, which is right when few states share one set of operations. */
  hash?(state: State): number;
  /**
   * Whether `input` never changes any state. Such an operation is linearized as soon as it fits, with no alternative tried,
   * which spares most of the search on read-heavy histories. Default: no operation is.
   */
  isReadOnly?(input: Input): boolean;
  /**
   * Whether `input`, its answer unknown, leads to one and the same state from every state, as a blind write does. Spares work on
   * histories with many unknown outcomes. Default: no operation does.
   */
  isOverwrite?(input: Input): boolean;
  /**
   * The inputs of one partition as the search shall use them, in the order of its operations: `undefined` for an unknown outcome that
   * no answer can depend on, and one shared object for unknown outcomes that are as good as each other, so that the search
   * need not try them all. The others unchanged. Reports show the operations as they were. Default: nothing is simplified.
   */
  simplify?(history: readonly Operation<Input, Output>[]): readonly (Input | undefined)[];
  /**
   * Splits a history into parts that cannot influence each other, such as its keys, named for reports. Each operation must
   * stand in exactly one part. A history is linearizable if and only if all of its parts are (Herlihy and Wing 1990, §3.2).
   * Default: one part.
   */
  partition?(history: readonly Operation<Input, Output>[]): ReadonlyMap<string, readonly Operation<Input, Output>[]>;
  /** How an operation reads in a report. Default: JSON. */
  describe?(input: Input, output: Output | undefined): string;
  /** How a state reads in a report. Default: JSON. */
  describeState?(state: State): string;
}

/** Groups `history` by a key of each input: the usual way to write a model's `partition`. Parts come in order of first use. */
export function partitionBy<Input, Output>(
  history: readonly Operation<Input, Output>[],
  keyOf: (input: Input) => string,
): ReadonlyMap<string, readonly Operation<Input, Output>[]> {
  const parts = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    const key = keyOf(operation.input);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [operation]);
    else part.push(operation);
  }
  return parts;
}
