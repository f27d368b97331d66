import { budgetBytes, formatVersion, frameFlags, frameTypes, headerBytes, lengthBytes, noBytes } from "./frame-format.js";

/** How far a frame has come. */
export type FrameState = "idle" | "queued" | "started" | "written" | "dropped";

/**
 * A frame to send. Calls are their own frames, so that sending one allocates nothing more; the encoder reads these fields when the
 * frame's turn comes, not before.
 */
export interface OutgoingFrame {
  readonly frameType: number;
  readonly flags: number;
  /** The header's type-dependent number, for types without a method name. */
  readonly extra: number;
  readonly callId: number;
  /** When the caller gives up, for REQUEST; it travels as the time that is left. */
  readonly deadline: number;
  /** The method name, for REQUEST and ONE_WAY; else empty. */
  readonly methodBytes: Uint8Array;
  /** The encoded metadata block with its length, if the frame is flagged so; else empty. */
  readonly metadataBytes: Uint8Array;
  readonly payload: Uint8Array;
  /** Belongs to the writer. */
  frameState: FrameState;
}

/** The bytes of a frame before its payload. */
export function prefixSize(frame: OutgoingFrame): number {
  const budget = frame.frameType === frameTypes.request ? budgetBytes : 0;
  return lengthBytes + headerBytes + budget + frame.methodBytes.length + frame.metadataBytes.length;
}

/** Writes everything of a frame before its payload. @returns where the payload goes. */
export function encodePrefix(frame: OutgoingFrame, target: Uint8Array, view: DataView, offset: number, now: number): number {
  const size = prefixSize(frame);
  const { methodBytes, metadataBytes } = frame;
  view.setUint32(offset, size - lengthBytes + frame.payload.length, true);
  target[offset + 4] = (formatVersion << 4) | frame.frameType;
  target[offset + 5] = metadataBytes.length > 0 ? frame.flags | frameFlags.metadata : frame.flags;
  view.setUint16(offset + 6, methodBytes.length > 0 ? methodBytes.length : frame.extra, true);
  view.setUint32(offset + 8, frame.callId, true);
  let at = offset + lengthBytes + headerBytes;
  if (frame.frameType === frameTypes.request) {
    view.setUint32(at, Math.min(0xffff_ffff, Math.max(0, Math.ceil(frame.deadline - now))), true);
    at += budgetBytes;
  }
  target.set(methodBytes, at);
  at += methodBytes.length;
  if (metadataBytes.length > 0) target.set(metadataBytes, at);
  return offset + size;
}

/** A frame that is not a call of its own: ERROR for a refused request, CANCEL, ONE_WAY. */
export class PlainFrame implements OutgoingFrame {
  readonly frameType: number;
  readonly flags: number;
  readonly extra: number;
  readonly callId: number;
  readonly deadline = 0;
  readonly methodBytes: Uint8Array;
  readonly metadataBytes: Uint8Array;
  readonly payload: Uint8Array;
  frameState: FrameState = "idle";

  constructor(fields: PlainFrameFields) {
    this.frameType = fields.frameType;
    this.flags = fields.flags ?? 0;
    this.extra = fields.extra ?? 0;
    this.callId = fields.callId ?? 0;
    this.methodBytes = fields.methodBytes ?? noBytes;
    this.metadataBytes = fields.metadataBytes ?? noBytes;
    this.payload = fields.payload ?? noBytes;
  }
}

/** What {@link PlainFrame} is made from; numbers default to 0 and bytes to none. */
export interface PlainFrameFields {
  readonly frameType: number;
  readonly flags?: number;
  readonly extra?: number;
  readonly callId?: number;
  readonly methodBytes?: Uint8Array;
  readonly metadataBytes?: Uint8Array;
  readonly payload?: Uint8Array;
}
