/** What a stream is. In every frame of it, because any may come first. */
export interface StreamOpening {
  readonly protocol: string;
  readonly unidirectional: boolean;
}

/** The next part of one direction of a stream. Parts are applied in order of `sequence`. */
export interface StreamFrame {
  readonly kind: "stream";
  readonly id: number;
  readonly sequence: number;
  readonly opening: StreamOpening;
  readonly bytes: Uint8Array | null;
  readonly end: boolean;
  /** The sender gave this direction up, with this code. */
  readonly reset: number | null;
}

/** What travels between the two ends of a connection. All but stream frames may overtake each other: limits only grow. */
export type Frame =
  | StreamFrame
  /** The reader takes bytes up to this offset of the stream. */
  | { readonly kind: "streamLimit"; readonly id: number; readonly limit: number }
  /** The reader takes so many bytes on all streams together, since the beginning. */
  | { readonly kind: "connectionLimit"; readonly limit: number }
  /** The peer may open so many streams, since the beginning. */
  | { readonly kind: "streamCount"; readonly limit: number }
  | { readonly kind: "stop"; readonly id: number; readonly code: number }
  /** The reader has everything up to the end of the stream. */
  | { readonly kind: "endReceived"; readonly id: number }
  | { readonly kind: "ping"; readonly sentAt: number | null }
  | { readonly kind: "pong"; readonly sentAt: number | null }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };
