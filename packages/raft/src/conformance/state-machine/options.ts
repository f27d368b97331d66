import type { StateMachine } from "../../ports.js";

/** A {@link StateMachine} to which nothing was applied, made afresh again and again within each case. */
export interface StateMachineFixture<Result> {
  readonly stateMachine: StateMachine<Result>;
  /** Runs after the case, whatever came of it: removes what it left. */
  dispose?(): Promise<void>;
}

/** What {@link testStateMachine} needs. */
export interface StateMachineSuiteOptions<Result> {
  /** Makes state machines that have nothing in common. */
  readonly create: () => StateMachineFixture<Result> | Promise<StateMachineFixture<Result>>;
  /**
   * Commands that make use of everything, refusals included. The state is judged by what later commands give as results: so let them ask for
   * what earlier ones have done. At least four.
   */
  readonly commands: readonly Uint8Array[];
  /** False for a state machine without `snapshot` and `restore`. Default true. */
  readonly snapshots?: boolean;
}
