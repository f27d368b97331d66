import { LaneError, type LaneErrorCode, type LaneErrorOptions } from "./errors.js";

/** The error with what is known of its transfer. Somebody's own reason to cancel stays what it is. */
export function withFacts(error: unknown, facts: Readonly<Record<string, unknown>>): unknown {
  if (!(error instanceof LaneError)) return error;
  const { code, message, outcome, cause, details } = error;
  return new LaneError(code, message, { outcome, cause, details: { ...details, ...facts } });
}

/** @param reason - what the peer may know of it; the message and the cause stay on this side. */
export function localError(code: LaneErrorCode, message: string, reason: string, options: LaneErrorOptions = {}): LaneError {
  return new LaneError(code, message, { ...options, details: { ...options.details, reason } });
}

/** The operating system's code of an error, for messages. */
export function systemCode(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "no code";
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
