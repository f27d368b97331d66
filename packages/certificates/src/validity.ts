import type { Clock } from "@octopii/interfaces";
import { systemClock } from "@octopii/system";
import { type CertificateInfo, readCertificate } from "./certificate-info.js";
import { certificateDefaults } from "./options.js";

/** Where a certificate stands in its life. */
export interface ValidityReport {
  readonly state: "notYetValid" | "valid" | "expiring" | "expired";
  /** Milliseconds until it expires; negative afterwards. */
  readonly remainingMs: number;
  /** One sentence for the operator; what to do where something is to be done. */
  readonly message: string;
}

/** Options of {@link checkValidity}. */
export interface ValidityOptions {
  /** From how many days before the end it counts as expiring. Default {@link certificateDefaults}. */
  readonly warnBeforeDays?: number;
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Says whether a certificate is valid now, and whether it will soon cease to be.
 * @throws {CertificatesError} `OCTOPII_CERTIFICATES_UNREADABLE` if `certificate` is text or bytes that are none.
 */
export function checkValidity(certificate: CertificateInfo | string | Uint8Array, options: ValidityOptions = {}): ValidityReport {
  const { warnBeforeDays = certificateDefaults.warnBeforeDays, clock = systemClock } = options;
  const info = typeof certificate === "string" || certificate instanceof Uint8Array ? readCertificate(certificate) : certificate;
  const now = clock.wallTime();
  const remainingMs = info.notAfterMs - now;
  const who = info.name ?? info.subject;
  if (now < info.notBeforeMs) {
    return { state: "notYetValid", remainingMs, message: `The certificate of '${who}' is not valid yet; check this machine's clock.` };
  }
  if (remainingMs < 0) {
    return { state: "expired", remainingMs, message: `The certificate of '${who}' has expired; issue a new one.` };
  }
  const days = Math.floor(remainingMs / dayMs);
  if (remainingMs <= warnBeforeDays * dayMs) {
    return { state: "expiring", remainingMs, message: `The certificate of '${who}' expires in ${days} days; issue a new one.` };
  }
  return { state: "valid", remainingMs, message: `The certificate of '${who}' is valid for ${days} days.` };
}
