import { createPrivateKey, X509Certificate } from "node:crypto";
import type { TlsCredentials } from "@octopii/interfaces";
import { TcpTransportError } from "./errors.js";

/**
 * Checks that credentials can work at all; TLS would find some faults only in the handshake, where the peer would be blamed.
 * @throws {TcpTransportError} `OCTOPII_TCP_INVALID_CREDENTIALS`.
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
export function invalid(problem: string, cause?: unknown): TcpTransportError {
  return new TcpTransportError("OCTOPII_TCP_INVALID_CREDENTIALS", `${problem}.`, { cause });
}

function attempt<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw invalid(problem, cause);
  }
}
