import { createHash, X509Certificate } from "node:crypto";
import { configurationError } from "../options.js";

const certificatePattern = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Far more than a change of authority needs; a data directory records them all. */
const authoritiesMax = 256;

/** The certificates in a PEM text; what cannot be read is left out. */
export function parseAuthorities(pem: string): X509Certificate[] {
  return (pem.match(certificatePattern) ?? []).map(parseCertificate).filter((certificate) => certificate !== null);
}

/** The first certificate in a PEM text; null if it cannot be read. */
export function parseCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

/**
 * What stays the same of authorities when their certificates are renewed: the SHA-256 of each public key (SPKI, RFC 5280 section 4.1), in
 * hexadecimal, sorted. Null if the text holds none.
 * @throws {CoreError} `CONFIGURATION_INVALID` if there are too many to record.
 */
export function authorityFingerprints(pem: string): readonly string[] | null {
  const authorities = parseAuthorities(pem);
  if (authorities.length > authoritiesMax) {
    throw configurationError([
      `authorities holds ${authorities.length} certificates, more than the ${authoritiesMax} that a node may trust`,
    ]);
  }
  const fingerprints = authorities.map(({ publicKey }) =>
    createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("hex"),
  );
  return fingerprints.length === 0 ? null : [...new Set(fingerprints)].sort();
}
