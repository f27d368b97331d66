import type { CodedError, StreamClose } from "@octopii/interfaces";

/**
 * - `RESET`: the peer gave its direction up. What it had sent and was not read yet is gone.
 * - `STOPPED`: the peer reads no more.
 * - `CONNECTION_CLOSED`: the connection went, and both directions with it.
 * - `GIVEN_UP`: this side reset or stopped the direction itself.
 * - `BUSY`: two reads at once; the second one was refused.
 */
export type StreamErrorCode =
  | "OCTOPII_STREAM_RESET"
  | "OCTOPII_STREAM_STOPPED"
  | "OCTOPII_STREAM_CONNECTION_CLOSED"
  | "OCTOPII_STREAM_GIVEN_UP"
  | "OCTOPII_STREAM_BUSY";

/** Why reading or writing a stream ended before its ordinary end. Test it with {@link isStreamError}. */
export class StreamError extends Error implements CodedError {
  readonly code: StreamErrorCode;
  /** `streamCode`: the code that came with a reset, stop or close, where one did. */
  readonly details: { readonly protocol: string; readonly streamCode?: number };

  constructor(code: StreamErrorCode, message: string, details: StreamError["details"], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StreamError";
    this.code = code;
    this.details = details;
  }
}

/**
 * Whether `error` is a {@link StreamError}, by its shape, so that it holds across copies of this package.
 * @param code - also asks for this code.
 */
export function isStreamError(error: unknown, code?: StreamErrorCode): error is StreamError {
  if (!(error instanceof Error)) return false;
  const { code: actual } = error as Partial<StreamError>;
  if (typeof actual !== "string" || !actual.startsWith("OCTOPII_STREAM_")) return false;
  return code === undefined || actual === code;
}

/** The error for what a stream said of its end. */
export function errorOfClose(protocol: string, error: NonNullable<StreamClose["error"]>, cause?: unknown): StreamError {
  const details = { protocol, streamCode: error.code };
  const name = `The stream '${protocol}'`;
  switch (error.by) {
    case "reset":
      return new StreamError("OCTOPII_STREAM_RESET", `${name} was given up by its sender, with code ${error.code}.`, details, cause);
    case "stopped":
      return new StreamError(
        "OCTOPII_STREAM_STOPPED",
        `${name} is not read by the peer any more, which said code ${error.code}.`,
        details,
        cause,
      );
    case "connection":
      return new StreamError("OCTOPII_STREAM_CONNECTION_CLOSED", `${name} went with its connection; connect again.`, details, cause);
    case "local":
      return new StreamError("OCTOPII_STREAM_GIVEN_UP", `${name} was given up on this side, with code ${error.code}.`, details, cause);
  }
}
