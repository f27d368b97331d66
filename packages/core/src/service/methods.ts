import { bytesCodec, cborCodec, defineMethod, type Method, voidCodec } from "@octopii/rpc";
import type { NodeStatus } from "../status.js";

/** Proposes an entry of the log, as it is, through whichever node is asked; it forwards to the leader. */
export const proposeMethod: Method<Uint8Array, Uint8Array> = defineMethod("octopii.propose", {
  request: bytesCodec,
  response: bytesCodec,
});

/** A linearizable query of the replica asked. */
export const queryMethod: Method<Uint8Array, Uint8Array> = defineMethod("octopii.query", { request: bytesCodec, response: bytesCodec });

/** A query of the replica asked, as far as it has applied. */
export const staleQueryMethod: Method<Uint8Array, Uint8Array> = defineMethod("octopii.query-stale", {
  request: bytesCodec,
  response: bytesCodec,
});

export const statusMethod: Method<void, NodeStatus> = defineMethod("octopii.status", {
  request: voidCodec,
  response: cborCodec<NodeStatus>(),
});

/** Has the node that is asked take a snapshot now. The answer is the index that it holds. */
export const snapshotMethod: Method<void, number> = defineMethod("octopii.snapshot", {
  request: voidCodec,
  response: cborCodec<number>(),
});
