import { X509Certificate } from "node:crypto";
import type { NodeId } from "@octopii/interfaces";
import { parseValidity } from "./adapters/validity.js";
import { CertificatesError } from "./errors.js";
import { type CertificateSubject, isName, parseSubject, uriScheme } from "./names.js";

/** What a certificate says. */
export interface CertificateInfo {
  /** `other`: it does not name one Octopii subject, so no cluster accepts it. */
  readonly kind: "authority" | "node" | "client" | "other";
  /** The cluster it was issued for; null for `other`. */
  readonly cluster: string | null;
  /** The node's id; null for all but `node`. */
  readonly nodeId: NodeId | null;
  /** The name of the node or client; null for the other kinds. */
  readonly name: string | null;
  /** Upper-case hexadecimal. */
  readonly serialNumber: string;
  readonly subject: string;
  readonly issuer: string;
  /** First and last moment of validity, in milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the DER form: hexadecimal pairs, separated by colons. */
  readonly fingerprint: string;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  /** Whether its extended key usage lets it prove a server. */
  readonly serverUse: boolean;
  /** Whether its extended key usage lets it prove a client. */
  readonly clientUse: boolean;
}

const serverAuthOid = "1.3.6.1.5.5.7.3.1";
const clientAuthOid = "1.3.6.1.5.5.7.3.2";

/** Entries of one type in Node's text form. It quotes an entry that holds anything unusual; our names never do, so such an entry is none. */
function alternativeNames(text: string | undefined, prefix: "DNS:" | "URI:"): string[] {
  if (text === undefined) return [];
  return text
    .split(", ")
    .filter((entry) => entry.startsWith(prefix) && !entry.includes('"'))
    .map((entry) => entry.slice(prefix.length));
}

function soleSubject(uris: readonly string[]): CertificateSubject | null {
  const ours = uris.filter((uri) => uri.startsWith(uriScheme));
  const [uri] = ours;
  return ours.length === 1 && uri !== undefined ? parseSubject(uri) : null;
}

function commonName(subject: string): string | null {
  const name = subject.startsWith("CN=") ? subject.slice("CN=".length) : null;
  return isName(name) ? name : null;
}

function describe(certificate: X509Certificate): CertificateInfo {
  const uris = alternativeNames(certificate.subjectAltName, "URI:");
  const named = soleSubject(uris);
  // A certificate that claims to be an authority in one place only is neither one nor a peer.
  const subject = named !== null && (named.kind === "authority") === certificate.ca ? named : null;
  const usages = (certificate.keyUsage as string[] | undefined) ?? [];
  return {
    kind: subject?.kind ?? "other",
    cluster: subject?.cluster ?? null,
    nodeId: subject?.kind === "node" ? subject.nodeId : null,
    name: subject?.kind === "client" ? subject.name : subject?.kind === "node" ? commonName(certificate.subject) : null,
    serialNumber: certificate.serialNumber,
    subject: certificate.subject.replaceAll("\n", ", "),
    issuer: certificate.issuer.replaceAll("\n", ", "),
    notBeforeMs: parseValidity(certificate.validFrom),
    notAfterMs: parseValidity(certificate.validTo),
    fingerprint: certificate.fingerprint256,
    dnsNames: alternativeNames(certificate.subjectAltName, "DNS:"),
    uris,
    serverUse: usages.includes(serverAuthOid),
    clientUse: usages.includes(clientAuthOid),
  };
}

/**
 * Reads the first certificate in `certificate`. It checks no signature and no date: it says what stands there.
 * @param certificate - PEM text, or the DER bytes.
 * @throws {CertificatesError} `OCTOPII_CERTIFICATES_UNREADABLE`.
 */
export function readCertificate(certificate: string | Uint8Array): CertificateInfo {
  return describe(parseCertificate(certificate));
}

/** @throws {CertificatesError} `OCTOPII_CERTIFICATES_UNREADABLE`. */
export function parseCertificate(certificate: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw new CertificatesError("OCTOPII_CERTIFICATES_UNREADABLE", "This is not a PEM or DER certificate; give the file that was issued.", {
      cause,
    });
  }
}
