import type { Connection, PeerIdentity } from "@octopii/interfaces";
import type { RpcContext } from "./context.js";
import type { DeadlineEntry } from "./deadline-queue.js";
import type { Endpoint } from "./endpoint.js";
import type { RpcError } from "./errors.js";
import type { FrameState, OutgoingFrame } from "./frame-encoder.js";
import { frameTypes, noBytes } from "./frame-format.js";
import type { RpcMetadata } from "./metadata.js";
import type { RequestBody } from "./request-body.js";
import { isThenable } from "./thenable.js";

/** Hears from an {@link InboundCall}. */
export interface InboundCallOwner {
  readonly endpoint: Endpoint;
  readonly connection: Connection;
  /** The handler gave bytes. Called once, unless the handler failed. */
  onResult(call: InboundCall, result: Uint8Array): void;
  /** The handler failed. */
  onFailure(call: InboundCall, error: unknown): void;
  /** The deadline passed while the handler ran. */
  onExpired(call: InboundCall): void;
}

/**
 * One handler that runs, for a request or a one-way message. It is also the frame of its own answer and its own entry in the
 * deadline queue.
 */
export class InboundCall implements OutgoingFrame, DeadlineEntry {
  frameType: number = frameTypes.response;
  flags = 0;
  extra = 0;
  readonly callId: number;
  readonly deadline: number;
  readonly methodBytes: Uint8Array = noBytes;
  readonly metadataBytes: Uint8Array = noBytes;
  payload: Uint8Array = noBytes;
  frameState: FrameState = "idle";
  heapIndex = -1;

  readonly oneWay: boolean;
  readonly method: string;
  readonly metadata: RpcMetadata;
  readonly owner: InboundCallOwner;
  /** What the call holds of its connection's limit on payload bytes. */
  readonly heldBytes: number;
  /** The caller has been answered, or does not wait any more; what the handler gives is dropped. */
  over = false;
  #controller: AbortController | null = null;
  #abortReason: RpcError | null = null;

  constructor(owner: InboundCallOwner, oneWay: boolean, callId: number, body: RequestBody, deadline: number) {
    this.owner = owner;
    this.oneWay = oneWay;
    this.callId = callId;
    this.method = body.method;
    this.metadata = body.metadata;
    this.deadline = deadline;
    this.heldBytes = body.payload.length;
  }

  /** Most handlers never ask for their signal, so it is made when they do. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#abortReason !== null) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Tells the handler that nobody waits any more. */
  abort(reason: RpcError): void {
    this.over = true;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  expire(): void {
    this.owner.onExpired(this);
  }

  /** Runs the handler; its result comes to the owner, at once or later. */
  run(handler: (payload: Uint8Array, context: RpcContext) => unknown, payload: Uint8Array): void {
    let result: unknown;
    try {
      result = handler(payload, new CallContext(this));
    } catch (error) {
      this.owner.onFailure(this, error);
      return;
    }
    if (!isThenable(result)) this.#settle(result);
    else
      result.then(
        (value) => this.#settle(value),
        (error: unknown) => this.owner.onFailure(this, error),
      );
  }

  #settle(result: unknown): void {
    if (this.oneWay) this.owner.onResult(this, noBytes);
    else if (result instanceof Uint8Array) this.owner.onResult(this, result);
    else this.owner.onFailure(this, new TypeError(`The handler of "${this.method}" must answer with a Uint8Array, not ${typeof result}.`));
  }
}

/** The side of a call that its handler sees. */
class CallContext implements RpcContext {
  readonly #call: InboundCall;

  constructor(call: InboundCall) {
    this.#call = call;
  }

  get peer(): PeerIdentity {
    return this.#call.owner.connection.peer;
  }

  get connection(): Connection {
    return this.#call.owner.connection;
  }

  get method(): string {
    return this.#call.method;
  }

  get metadata(): RpcMetadata {
    return this.#call.metadata;
  }

  get deadline(): number {
    return this.#call.deadline;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  remainingMs(): number {
    return Math.max(0, this.#call.deadline - this.#call.owner.endpoint.clock.now());
  }
}
