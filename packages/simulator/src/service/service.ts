import type { Consistency, Replicated, StateMachine } from "@octopii/core";
import type { SeededRandom } from "@octopii/testing";
import type { JepsenCodec, Model } from "../linearizability/index.js";

/** What a drawn operation may rely on. */
export interface DrawContext {
  /** The client's own numbers: what it draws shifts nobody else's. */
  readonly random: SeededRandom;
  /** A number of its own for every operation of a run, from 1: the way to unique values. */
  readonly number: number;
}

/** What the clients of a simulated cluster ask for, and how their answers are judged. */
export interface Workload<Input, Output> {
  /** The next thing that a client asks for. */
  next(context: DrawContext): Input;
  /**
   * Asks `cluster`, a node or a client of it, for `input`.
   * @param consistency - for queries: the freshest that the run allows.
   */
  call(cluster: Replicated, input: Input, consistency: Consistency): Promise<Output>;
  /** What one correct copy of the data would do. The history of each run is checked against it; with unique values, wrong answers are found. */
  // biome-ignore lint/suspicious/noExplicitAny: a model's state is its own affair, and cannot be named where models of all sorts fit
  readonly model?: Model<any, Input, Output>;
  /** Asked once more when all is healed: reads of all that there is. Default: nothing. */
  finalReads?(): readonly Input[];
  /** How a history reads in Jepsen's terms, for export. */
  readonly jepsen?: JepsenCodec<Input, Output>;
  /** What tells a write from every other, or null for what is none. With `markOf`, each acknowledged write must be on every member, once. */
  markOfInput?(input: Input): string | null;
  /** The mark of a command that is applied, or null. */
  markOfCommand?(command: Uint8Array): string | null;
}

/** What a cluster replicates, and who uses it. */
export interface SimulatedService<Input, Output> {
  /** A fresh state machine, for each start of each node. */
  stateMachine(): StateMachine;
  readonly workload: Workload<Input, Output>;
  /** A state in a form in which equal states are equal texts. Default: replicas' states are not compared. */
  digest?(machine: StateMachine): string;
}
