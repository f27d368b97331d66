import { budgetBytes, frameFlags, frameTypes, readUint32 } from "./frame-format.js";
import { decodeMetadata, noMetadata, type RpcMetadata } from "./metadata.js";
import { readMethodName } from "./method.js";

/** The body of a REQUEST or ONE_WAY frame. */
export interface RequestBody {
  /** What is left of the caller's time; 0 in ONE_WAY. */
  readonly budgetMs: number;
  readonly method: string;
  readonly metadata: RpcMetadata;
  /** The size of the metadata block, its length field included. */
  readonly metadataBytes: number;
  /** A view of the frame. */
  readonly payload: Uint8Array;
}

/** Reads `bytes[start, end)`. @returns the body, or one sentence that says what is wrong with it. */
export function decodeRequestBody(
  frameType: number,
  flags: number,
  methodLength: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): RequestBody | string {
  const methodStart = frameType === frameTypes.request ? start + budgetBytes : start;
  const methodEnd = methodStart + methodLength;
  if (methodLength === 0) return "A frame names no method.";
  if (methodEnd > end) return "A frame ends within its method name.";
  const budgetMs = frameType === frameTypes.request ? readUint32(bytes, start) : 0;
  const method = readMethodName(bytes, methodStart, methodEnd);
  let payloadStart = methodEnd;
  let metadata = noMetadata;
  if ((flags & frameFlags.metadata) !== 0) {
    const block = decodeMetadata(bytes, methodEnd, end);
    if (typeof block === "string") return block;
    payloadStart = block.next;
    metadata = block.metadata;
  }
  // Not `subarray`, which would hand a Buffer on to handlers, whose `slice` does not copy.
  const payload = new Uint8Array(bytes.buffer, bytes.byteOffset + payloadStart, end - payloadStart);
  return { budgetMs, method, metadata, metadataBytes: payloadStart - methodEnd, payload };
}
