import type { CodedError } from "@octopii/interfaces";

/**
 * What went wrong:
 * - `OCTOPII_CERTIFICATES_UNREADABLE`: text that should be a PEM certificate or key is not.
 * - `OCTOPII_CERTIFICATES_KEY_MISMATCH`: a private key does not belong to its certificate.
 * - `OCTOPII_CERTIFICATES_NOT_AN_AUTHORITY`: the certificate that should sign is not an authority's.
 * - `OCTOPII_CERTIFICATES_WRONG_CLUSTER`: an authority was asked to issue for another cluster than its own.
 * - `OCTOPII_CERTIFICATES_AUTHORITY_EXPIRED`: the authority's own validity is over, or has not begun.
 */
export type CertificatesErrorCode =
  | "OCTOPII_CERTIFICATES_UNREADABLE"
  | "OCTOPII_CERTIFICATES_KEY_MISMATCH"
  | "OCTOPII_CERTIFICATES_NOT_AN_AUTHORITY"
  | "OCTOPII_CERTIFICATES_WRONG_CLUSTER"
  | "OCTOPII_CERTIFICATES_AUTHORITY_EXPIRED";

/** Why a certificate could not be read or issued. Test it with {@link isCertificatesError}. */
export class CertificatesError extends Error implements CodedError {
  readonly code: CertificatesErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: CertificatesErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CertificatesError";
    this.code = code;
    this.details = options.details ?? {};
  }
}

/**
 * Whether `error` is a {@link CertificatesError}, by its shape, so that it holds across copies of this package.
 * @param code - also asks for this code.
 */
export function isCertificatesError(error: unknown, code?: CertificatesErrorCode): error is CertificatesError {
  if (!(error instanceof Error)) return false;
  const actual = (error as Partial<CertificatesError>).code;
  if (typeof actual !== "string" || !actual.startsWith("OCTOPII_CERTIFICATES_")) return false;
  return code === undefined || actual === code;
}
