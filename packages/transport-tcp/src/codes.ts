/**
 * The transport's own close and stream codes. Applications have 0 to 2^32-1; these lie above, so that neither can be taken for the
 * other. What the QUIC transport has too has the same number here.
 */
export const tcpCodes: {
  readonly refused: number;
  readonly protocolViolation: number;
  readonly streamRefused: number;
  readonly transportClosed: number;
  readonly connectionLost: number;
  readonly idleTimeout: number;
  readonly failure: number;
} = {
  /** The closer does not accept the other's identity: its certificate, or who it says it is. */
  refused: 2 ** 32 + 1,
  /** The peer broke the rules of `octopii-tcp/1`. */
  protocolViolation: 2 ** 32 + 2,
  /** Nobody takes streams on this connection. */
  streamRefused: 2 ** 32 + 3,
  /** The closer's transport was closed as a whole. */
  transportClosed: 2 ** 32 + 4,
  /** Never sent: TCP or TLS gave the connection up. */
  connectionLost: 2 ** 32 + 5,
  /** Never sent: the peer fell silent. */
  idleTimeout: 2 ** 32 + 6,
  /** Never sent: a fault of this side. */
  failure: 2 ** 32 + 7,
};

/** The largest code that belongs to applications. */
export const applicationCodeMax: number = 2 ** 32 - 1;

/** @throws RangeError unless `code` is an application's. */
export function checkApplicationCode(code: number): void {
  if (Number.isInteger(code) && code >= 0 && code <= applicationCodeMax) return;
  throw new RangeError(`A close or stream code must be a whole number from 0 to ${applicationCodeMax}, not ${code}.`);
}
