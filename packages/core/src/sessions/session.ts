import type { Clock, Scheduler } from "@octopii/interfaces";
import type { CallOptions, QueryOptions } from "../call-options.js";
import { CoreError, isCoreError } from "../errors.js";
import { Attempts } from "../service/retry.js";
import type { Replicated } from "../state-machine/key-value-client.js";
import { encodeClose, encodeOpen, encodeSessionCommand } from "./envelope.js";

/** How long the first sending of a command may take, while there is time for another; each later one may take twice as long. */
const firstAttemptMs = 1_000;
const codes = ["OCTOPII_CORE_UNAVAILABLE", "OCTOPII_CORE_TIMEOUT", "OCTOPII_CORE_BUSY"] as const;

/**
 * Commands that are applied once. What is sent in a session is sent again after every doubt, to whichever member answers, until its deadline;
 * the cluster keeps the result of each until the session has it, and gives a repetition that result. It holds across leader changes, snapshots
 * and restarts. Source: Raft thesis section 6.3.
 *
 * The cluster knows 4,096 sessions; of more, the one forgets first that was used least recently, in the order of the log. So a session is for as
 * long as somebody works with it, and is closed then.
 */
export interface Session extends Replicated {
  /** The index of the entry that opened it; unique in the cluster for all time. */
  readonly id: number;
  /**
   * As a node's `propose`, but once for certain: an `outcome` of `unknown` means that time ran out, and that it was applied once or not at all.
   * Several may be on their way; they are applied in any order.
   * @throws {CoreError} also `SESSION_EXPIRED`.
   */
  propose(command: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  query(request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
  /** Has the cluster forget the session; what is on its way is not waited for. Harmless if it has already. */
  close(options?: CallOptions): Promise<void>;
}

/** How a session reaches the cluster. */
export interface SessionHost {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly requestTimeoutMs: number;
  /** What may not be sent; null if nothing is wrong with it. */
  refusalOf(command: Uint8Array): Error | null;
  /** Proposes an entry's bytes as they are. */
  send(bytes: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  query(request: Uint8Array, options: QueryOptions): Promise<Uint8Array>;
}

/** A sending that is lost leaves an empty session behind, which goes as others come; so it is sent again freely. */
export async function openSession(host: SessionHost, options: CallOptions): Promise<Session> {
  const id = await sendUntilDone(host, encodeOpen(), options);
  return new OpenSession(Number(new TextDecoder().decode(id)), host);
}

class OpenSession implements Session {
  readonly id: number;
  readonly #host: SessionHost;
  #nextSequence = 1;
  /** Those whose answers are still to come. */
  readonly #waiting = new Set<number>();

  constructor(id: number, host: SessionHost) {
    this.id = id;
    this.#host = host;
  }

  async propose(command: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const refusal = this.#host.refusalOf(command);
    if (refusal !== null) throw refusal;
    const sequence = this.#nextSequence++;
    this.#waiting.add(sequence);
    try {
      const [oldest = sequence] = this.#waiting;
      const bytes = encodeSessionCommand({ session: this.id, sequence, answered: oldest, command });
      return await sendUntilDone(this.#host, bytes, options);
    } finally {
      this.#waiting.delete(sequence);
    }
  }

  query(request: Uint8Array, options: QueryOptions = {}): Promise<Uint8Array> {
    return this.#host.query(request, options);
  }

  async close(options: CallOptions = {}): Promise<void> {
    await sendUntilDone(this.#host, encodeClose(this.id), options);
  }
}

/** Sends until there is an answer: nothing in a session can happen twice. */
async function sendUntilDone(host: SessionHost, bytes: Uint8Array, options: CallOptions): Promise<Uint8Array> {
  const { clock, scheduler, requestTimeoutMs } = host;
  const attempts = new Attempts(clock, scheduler, options, requestTimeoutMs);
  let attemptMs = firstAttemptMs;
  let doubt: CoreError | null = null;
  for (;;) {
    const { timeoutMs, ...rest } = attempts.checked();
    try {
      return await host.send(bytes, { ...rest, timeoutMs: Math.min(timeoutMs, attemptMs) });
    } catch (error) {
      if (isCoreError(error) && error.outcome === "unknown") doubt ??= error;
      const mayPass = codes.some((code) => isCoreError(error, code));
      if (!mayPass || !(await attempts.pauseIfTimeIsLeft())) throw withDoubt(error, doubt);
      attemptMs *= 2;
    }
  }
}

/** What the last sending certainly did not do, an earlier one may have done; but a refusal by the cluster itself is its last word. */
function withDoubt(last: unknown, doubt: CoreError | null): unknown {
  if (doubt === null || !isCoreError(last) || last.outcome === "unknown") return last;
  return new CoreError(last.code, last.message, { outcome: "unknown", cause: last, details: last.details });
}
