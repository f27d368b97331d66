import type { CodedError, Outcome } from "@octopii/interfaces";

/** What can go wrong in a simulated world or on the in-memory transport. */
export type TestingErrorCode =
  /** Options were refused; the message lists all problems. */
  | "OCTOPII_TESTING_INVALID_OPTIONS"
  /** A callback threw inside a run; the cause is what it threw, the message names the seed. */
  | "OCTOPII_TESTING_EVENT_THREW"
  /** A run used up its events or its virtual time before its condition held. */
  | "OCTOPII_TESTING_LIMIT"
  /** Too many events at one virtual instant: something re-arms itself without letting time pass. */
  | "OCTOPII_TESTING_STANDSTILL"
  /** Nothing is left to happen, and the condition does not hold. */
  | "OCTOPII_TESTING_QUIET"
  /** The world was asked for something that its state does not allow, such as two runs at once. */
  | "OCTOPII_TESTING_STATE"
  /** The address is taken; the cause has the code `EADDRINUSE`. */
  | "OCTOPII_TESTING_ADDRESS_IN_USE"
  /** The address does not belong to this process, or cannot be understood. */
  | "OCTOPII_TESTING_ADDRESS_INVALID"
  /** Nobody answered a connection attempt in time. */
  | "OCTOPII_TESTING_CONNECT_TIMEOUT"
  /** One side did not accept the other's identity, or had no room. */
  | "OCTOPII_TESTING_PEER_REFUSED"
  /** The transport or connection is closed. */
  | "OCTOPII_TESTING_CLOSED"
  /** This direction of the stream is over. */
  | "OCTOPII_TESTING_STREAM_ENDED"
  /** Writes went on although they gave false. */
  | "OCTOPII_TESTING_STREAM_OVERRUN"
  /** Too many streams wait for the peer's credit. */
  | "OCTOPII_TESTING_TOO_MANY_STREAMS";

/** More about a {@link TestingError}. */
export interface TestingErrorOptions {
  readonly cause?: unknown;
  readonly outcome?: Outcome;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The error of this package. Recognise it with {@link isTestingError}. */
export class TestingError extends Error implements CodedError {
  readonly code: TestingErrorCode;
  declare readonly outcome?: Outcome;
  declare readonly details?: Readonly<Record<string, unknown>>;

  constructor(code: TestingErrorCode, message: string, options: TestingErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "TestingError";
    this.code = code;
    if (options.outcome !== undefined) this.outcome = options.outcome;
    if (options.details !== undefined) this.details = options.details;
  }
}

/** Whether `error` is a {@link TestingError}, with the given code if there is one. Works across copies of this package. */
export function isTestingError(error: unknown, code?: TestingErrorCode): error is TestingError {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return code === undefined ? error.code.startsWith("OCTOPII_TESTING_") : error.code === code;
}
