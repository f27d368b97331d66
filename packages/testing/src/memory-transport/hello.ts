import type { ConnectionClose, Identification, Identify } from "@octopii/interfaces";
import type { MemoryConnection } from "./memory-connection.js";
import type { MemoryListener } from "./memory-listener.js";
import type { MemoryTransportConfig } from "./options.js";
import type { Station } from "./station.js";

/** An answer that gets lost is sent again so often; the caller also asks again. */
export const ANSWER_ATTEMPTS = 8;

/** What the caller of `connect` says first. */
export interface Hello {
  readonly station: Station;
  readonly chain: readonly Uint8Array[];
  readonly config: MemoryTransportConfig;
  /** The listener that answered already, so that a repeated hello makes no second connection. */
  answeredBy: MemoryListener | null;
  /** Runs at the caller. */
  readonly onAccepted: (server: MemoryConnection, chain: readonly Uint8Array[], config: MemoryTransportConfig) => void;
  /** Runs at the caller. @param isIdentity - it was the caller's identity that was refused, and not for want of room. */
  readonly onRefused: (reason: string, isIdentity: boolean) => void;
}

/** Asks `identify`, and takes a throw for a refusal: no peer may end the process. */
export function judge(identify: Identify, chain: readonly Uint8Array[]): Identification {
  try {
    return identify(chain);
  } catch (error) {
    return { accepted: false, reason: `The peer could not be identified: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Counts down attempts to send something. */
export function afterAttempts(attempts: number): () => boolean {
  let left = attempts;
  return () => {
    left -= 1;
    return left < 0;
  };
}

/** How a connection ends when its transport is closed. */
export const TRANSPORT_CLOSED: Pick<ConnectionClose, "code" | "reason"> = { code: 0, reason: "The transport was closed." };
