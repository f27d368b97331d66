/**
 * The transport's own close and stream codes. Applications have 0 to 2^32-1; these lie above, so that neither can be taken for the
 * other. On the wire all are QUIC application error codes (RFC 9000 section 20.2).
 */
export const quicCodes: {
  readonly refused: number;
  readonly protocolViolation: number;
  readonly streamRefused: number;
  readonly transportClosed: number;
  readonly statelessReset: number;
  readonly idleTimeout: number;
  readonly engineFailure: number;
} = {
  /** The closer does not accept the other's identity: its certificate, or who it says it is. A TLS alert that says so counts as this. */
  refused: 2 ** 32 + 1,
  /** The peer broke the rules of `octopii/1`. */
  protocolViolation: 2 ** 32 + 2,
  /** Nobody takes streams on this connection. */
  streamRefused: 2 ** 32 + 3,
  /** The closer's transport was closed as a whole. */
  transportClosed: 2 ** 32 + 4,
  /** Never sent: the peer no longer knows the connection. */
  statelessReset: 2 ** 32 + 5,
  /** Never sent: the peer fell silent. */
  idleTimeout: 2 ** 32 + 6,
  /** Never sent: the engine gave the connection up without a code. */
  engineFailure: 2 ** 32 + 7,
};

/** The largest code that belongs to applications. */
export const applicationCodeMax: number = 2 ** 32 - 1;

/** @throws RangeError unless `code` is an application's. */
export function checkApplicationCode(code: number): void {
  if (Number.isInteger(code) && code >= 0 && code <= applicationCodeMax) return;
  throw new RangeError(`A close or stream code must be a whole number from 0 to ${applicationCodeMax}, not ${code}.`);
}

/** QUIC carries a TLS alert as a transport error code: this plus the alert (RFC 9001 section 4.8). */
const alertBase = 0x100;

/** RFC 8446 section 6: the alerts that a handshake between Octopii peers can end in. */
const alerts: Readonly<Record<number, string>> = {
  40: "handshake failure: no common parameters",
  42: "bad certificate",
  43: "unsupported certificate: its usage does not allow this role",
  44: "certificate revoked",
  45: "certificate expired or not yet valid",
  46: "certificate not acceptable",
  47: "illegal parameter",
  48: "unknown authority: the certificate is not signed by an accepted one",
  49: "access denied",
  51: "decrypt error: a signature is not of the key that it should be of",
  112: "server name not recognized",
  116: "a certificate is required and none was shown",
  120: "no common application protocol: the other side does not speak octopii/1",
};

/** The alerts by which one side says that the other's certificate, or its proof of owning it, is not good enough. */
const identityAlerts: ReadonlySet<number> = new Set([42, 43, 44, 45, 46, 48, 49, 51, 116]);

/** Whether a QUIC transport error code says that an identity was not accepted. */
export function isIdentityAlert(code: number): boolean {
  return identityAlerts.has(code - alertBase);
}

/** Words for a QUIC transport error code (RFC 9000 section 20.1). */
export function describeTransportCode(code: number): string {
  const alert = code - alertBase;
  if (alert >= 0 && alert <= 0xff) return `TLS alert ${alert}, ${alerts[alert] ?? "see RFC 8446 section 6"}`;
  return `QUIC transport error 0x${code.toString(16)}`;
}
