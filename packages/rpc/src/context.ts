import type { Connection, PeerIdentity } from "@octopii/interfaces";
import type { RpcMetadata } from "./metadata.js";

/** What a handler knows of the call that it answers. */
export interface RpcContext {
  /** Who calls, as the transport has proved it. */
  readonly peer: PeerIdentity;
  readonly connection: Connection;
  readonly method: string;
  /** What the caller sent beside the payload; empty if nothing. */
  readonly metadata: RpcMetadata;
  /** When the caller gives up, on the endpoint's clock, in milliseconds. */
  readonly deadline: number;
  /**
   * Aborts when nobody waits any more: the caller cancelled, the deadline passed, the connection is gone, or this side closes.
   * Its reason is an `RpcError`. A handler that goes on costs its slot until it settles.
   */
  readonly signal: AbortSignal;
  /** What is left until the deadline, 0 at least: the `timeoutMs` for calls that this handler makes in turn. */
  remainingMs(): number;
}
