import { createPrivateKey, X509Certificate } from "node:crypto";
import type { TlsCredentials } from "@octopii/interfaces";
import { QuicTransportError } from "./errors.js";

/**
 * Checks that credentials can work at all; the engine would find some faults only in the handshake, and put them on the peer.
 * @throws {QuicTransportError} `OCTOPII_QUIC_INVALID_CREDENTIALS`.
 */
export function checkCredentials({ certificate, privateKey, authorities }: TlsCredentials): void {
  const own = attempt("credentials.certificate is not a PEM certificate", () => new X509Certificate(certificate));
  const key = attempt("credentials.privateKey is not an unencrypted PEM key", () => createPrivateKey(privateKey));
  attempt("credentials.authorities holds no PEM certificate", () => new X509Certificate(authorities));
  if (!own.checkPrivateKey(key)) {
    throw invalid(
      "credentials.privateKey belongs to another certificate than credentials.certificate; give the pair that was issued together",
    );
  }
}

/** What to throw for credentials that cannot be used. */
export function invalid(problem: string, cause?: unknown): QuicTransportError {
  return new QuicTransportError("OCTOPII_QUIC_INVALID_CREDENTIALS", `${problem}.`, { cause });
}

function attempt<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw invalid(problem, cause);
  }
}
