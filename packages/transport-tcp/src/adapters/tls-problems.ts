import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { TlsFailure } from "../ports.js";

/** OpenSSL's words for what is wrong with a certificate, in ours. */
const certificateProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "certificate expired",
  CERT_NOT_YET_VALID: "certificate not yet valid; check the clocks of both machines",
  DEPTH_ZERO_SELF_SIGNED_CERT: "unknown authority: the certificate is signed by itself",
  SELF_SIGNED_CERT_IN_CHAIN: "unknown authority: the certificate is not signed by an accepted one",
  UNABLE_TO_GET_ISSUER_CERT: "a certificate is required and none was shown, or its authority is unknown",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknown authority: the certificate is not signed by an accepted one",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknown authority: the certificate is not signed by an accepted one",
  CERT_SIGNATURE_FAILURE: "unknown authority: the certificate is not signed by an accepted one",
  INVALID_PURPOSE: "unsupported certificate: its usage does not allow this role",
  CERT_REVOKED: "certificate revoked",
};

/** What is wrong with the certificate that a peer showed, without a full stop; null if nothing. @param serverName - of whom we dialed. */
export function describeProblem(socket: TLSSocket, serverName: string | null): string | null {
  if (!socket.authorized) {
    const code = String(socket.authorizationError ?? "unknown");
    return certificateProblems[code] ?? `certificate not acceptable (${code})`;
  }
  const { raw } = socket.getPeerCertificate() as { readonly raw?: Uint8Array };
  if (raw === undefined) return "a certificate is required and none was shown";
  if (serverName === null || new X509Certificate(raw).checkHost(serverName) !== undefined) return null;
  return `certificate not acceptable: it does not carry the name ${serverName}`;
}

/** The alerts by which a peer says that our certificate, or our proof of owning it, is not good enough. */
const identityAlert = /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)/;
const alert = /ALERT_([A-Z_]+)|(NO_APPLICATION_PROTOCOL|UNSUPPORTED_PROTOCOL|WRONG_VERSION_NUMBER)/;

/** An error of the socket in our words. */
export function describeFailure(error: Error): TlsFailure {
  const { code = "" } = error as NodeJS.ErrnoException;
  const name = alert.exec(code)?.slice(1).find(Boolean);
  const message =
    name !== undefined
      ? `TLS alert ${name.toLowerCase().replaceAll("_", " ")}`
      : code === "ECONNRESET"
        ? "the connection was reset"
        : error.message;
  return { refused: identityAlert.test(code), code, message: message.replace(/\.$/, ""), cause: error };
}
