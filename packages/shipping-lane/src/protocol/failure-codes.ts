import type { Outcome } from "@octopii/interfaces";
import { LaneError, type LaneErrorCode } from "../errors.js";

/**
 * The numbers by which a side tells the other why it gives up: the code of the stream when the sender resets it, and of the frame `abort`. They
 * are part of the format: none changes its meaning.
 */
const numbers: Readonly<Record<LaneErrorCode, number>> = {
  OCTOPII_LANE_REFUSED: 1,
  OCTOPII_LANE_TOO_LARGE: 2,
  OCTOPII_LANE_EXISTS: 3,
  OCTOPII_LANE_BUSY: 4,
  OCTOPII_LANE_CORRUPT: 5,
  OCTOPII_LANE_STORAGE_FAILED: 6,
  OCTOPII_LANE_TIMEOUT: 7,
  OCTOPII_LANE_CANCELLED: 8,
  OCTOPII_LANE_SOURCE_CHANGED: 9,
  OCTOPII_LANE_SOURCE_FAILED: 10,
  OCTOPII_LANE_PROTOCOL: 11,
  OCTOPII_LANE_UNSUPPORTED: 12,
  OCTOPII_LANE_NAME_INVALID: 13,
  OCTOPII_LANE_CLOSED: 14,
  OCTOPII_LANE_DISCONNECTED: 15,
  OCTOPII_LANE_SOURCE_MISSING: 16,
};

const codes = new Map(Object.entries(numbers).map(([code, number]) => [number, code as LaneErrorCode]));

/** What the other side is told of an error that ended a transfer here. What is no {@link LaneError} is somebody's own reason to cancel. */
export function failureNumber(error: unknown): number {
  return error instanceof LaneError ? numbers[error.code] : numbers.OCTOPII_LANE_CANCELLED;
}

/** The code that a number stands for. A later version may have more: those are refusals here. */
export function failureCode(number: number): LaneErrorCode {
  return codes.get(number) ?? "OCTOPII_LANE_REFUSED";
}

const sentences: Partial<Record<LaneErrorCode, string>> = {
  OCTOPII_LANE_CANCELLED: "cancelled the transfer",
  OCTOPII_LANE_SOURCE_CHANGED: "gave the transfer up, because its file changed while it was sent",
  OCTOPII_LANE_SOURCE_FAILED: "gave the transfer up, because it could not read on",
  OCTOPII_LANE_TIMEOUT: "gave the transfer up, because nothing moved any more",
  OCTOPII_LANE_CLOSED: "gave the transfer up, because its shipping lane was closed",
  OCTOPII_LANE_PROTOCOL: "gave the transfer up, because it could not make sense of what we sent",
};

/** The error for a stream that the peer cut short with a number of ours, or that broke. */
export function cutShort(peer: string, close: { readonly by: string; readonly code: number } | null, outcome: Outcome): LaneError {
  const code = close !== null && (close.by === "reset" || close.by === "stopped") ? codes.get(close.code) : undefined;
  const sentence = code === undefined ? undefined : sentences[code];
  if (code !== undefined && sentence !== undefined) return new LaneError(code, `${peer} ${sentence}.`, { outcome });
  const how = close === null ? "it ended" : `${close.by}, code ${close.code}`;
  return new LaneError("OCTOPII_LANE_DISCONNECTED", `The stream with ${peer} broke (${how}) before the transfer was over.`, { outcome });
}
