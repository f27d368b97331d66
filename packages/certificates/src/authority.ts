import { createPrivateKey } from "node:crypto";
import type { Clock, Random } from "@octopii/interfaces";
import { systemClock, systemRandom } from "@octopii/system";
import { type CertificateRequest, type IssuedCertificate, issueSelfSigned, issueSigned } from "./adapters/issue.js";
import { type CertificateInfo, parseCertificate, readCertificate } from "./certificate-info.js";
import { CertificatesError } from "./errors.js";
import { formatSubject, nodeServerName } from "./names.js";
import {
  type AuthorityOptions,
  type ClientCertificateOptions,
  certificateDefaults,
  checkOptions,
  type NodeCertificateOptions,
} from "./options.js";

/** What issuing needs from outside. The keys themselves always come from the system's cryptography. */
export interface CertificatePorts {
  /** Tells the date. Default: the system's clock. */
  readonly clock?: Clock;
  /** Makes serial numbers. Default: the system's. */
  readonly random?: Random;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Certificates are valid from an hour ago, so that a peer whose clock is behind accepts them at once. */
const backdateMs = 60 * 60 * 1000;
const serialNumberBytes = 16;

type Validity = Pick<CertificateRequest, "serialNumber" | "notBeforeMs" | "notAfterMs">;

function validity(days: number, ports: CertificatePorts): Validity {
  const now = (ports.clock ?? systemClock).wallTime();
  return {
    serialNumber: (ports.random ?? systemRandom).bytes(serialNumberBytes),
    notBeforeMs: now - backdateMs,
    notAfterMs: now + days * dayMs,
  };
}

/**
 * Makes a cluster's authority: a key pair (ECDSA P-256) and a certificate for it that it signs itself. Keep the private key where only
 * the operator can read it: whoever has it can join the cluster.
 * @throws RangeError if an option is wrong.
 */
export async function createAuthority(options: AuthorityOptions, ports: CertificatePorts = {}): Promise<IssuedCertificate> {
  const { cluster, validityDays = certificateDefaults.authorityValidityDays } = options;
  checkOptions("Authority", { cluster, validityDays });
  return issueSelfSigned({
    commonName: `${cluster} authority`.slice(0, 64),
    uri: formatSubject({ kind: "authority", cluster }),
    dnsName: null,
    authority: true,
    serverUse: false,
    clientUse: false,
    ...validity(validityDays, ports),
  });
}

/**
 * Makes a key pair and a certificate for one node. It can prove both a server and a client, and carries {@link nodeServerName}.
 * @throws RangeError if an option is wrong.
 * @throws {CertificatesError} if the authority cannot sign it: any of the codes.
 */
export async function issueNodeCertificate(
  authority: IssuedCertificate,
  options: NodeCertificateOptions,
  ports: CertificatePorts = {},
): Promise<IssuedCertificate> {
  const { cluster, nodeId, name, validityDays = certificateDefaults.nodeValidityDays } = options;
  checkOptions("Node certificate", { cluster, nodeId, name, validityDays });
  const within = checkAuthority(authority, cluster, validity(validityDays, ports), ports);
  return issueSigned(
    {
      commonName: name,
      uri: formatSubject({ kind: "node", cluster, nodeId }),
      dnsName: nodeServerName,
      authority: false,
      serverUse: true,
      clientUse: true,
      ...within,
    },
    authority,
  );
}

/**
 * Makes a key pair and a certificate for a client that is no member. It can prove a client only.
 * @throws RangeError if an option is wrong.
 * @throws {CertificatesError} if the authority cannot sign it: any of the codes.
 */
export async function issueClientCertificate(
  authority: IssuedCertificate,
  options: ClientCertificateOptions,
  ports: CertificatePorts = {},
): Promise<IssuedCertificate> {
  const { cluster, name, validityDays = certificateDefaults.clientValidityDays } = options;
  checkOptions("Client certificate", { cluster, name, validityDays });
  const within = checkAuthority(authority, cluster, validity(validityDays, ports), ports);
  return issueSigned(
    {
      commonName: name,
      uri: formatSubject({ kind: "client", cluster, name }),
      dnsName: null,
      authority: false,
      serverUse: false,
      clientUse: true,
      ...within,
    },
    authority,
  );
}

/** Checks that `authority` can sign for `cluster` now, and cuts the validity to the authority's own. */
function checkAuthority(authority: IssuedCertificate, cluster: string, wanted: Validity, ports: CertificatePorts): Validity {
  const info = readCertificate(authority.certificate);
  if (info.kind !== "authority") {
    const message = `The certificate of ${info.subject} is not an Octopii authority's; use the one that 'createAuthority' made.`;
    throw new CertificatesError("OCTOPII_CERTIFICATES_NOT_AN_AUTHORITY", message);
  }
  if (info.cluster !== cluster) {
    const message = `This authority signs for cluster '${info.cluster}', not '${cluster}'; use the authority of '${cluster}'.`;
    throw new CertificatesError("OCTOPII_CERTIFICATES_WRONG_CLUSTER", message, { details: { cluster: info.cluster } });
  }
  checkKey(authority);
  checkAuthorityValidity(info, (ports.clock ?? systemClock).wallTime());
  return {
    ...wanted,
    notBeforeMs: Math.max(wanted.notBeforeMs, info.notBeforeMs),
    notAfterMs: Math.min(wanted.notAfterMs, info.notAfterMs),
  };
}

function checkKey(authority: IssuedCertificate): void {
  const certificate = parseCertificate(authority.certificate);
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(authority.privateKey));
  } catch (cause) {
    throw new CertificatesError("OCTOPII_CERTIFICATES_UNREADABLE", "The authority's private key is not an unencrypted PEM key.", { cause });
  }
  if (matches) return;
  throw new CertificatesError(
    "OCTOPII_CERTIFICATES_KEY_MISMATCH",
    "The authority's private key belongs to another certificate; give the pair that was made together.",
  );
}

function checkAuthorityValidity(info: CertificateInfo, now: number): void {
  if (now >= info.notBeforeMs && now <= info.notAfterMs) return;
  const problem = now > info.notAfterMs ? "has expired" : "is not valid yet";
  const message = `The authority of cluster '${info.cluster}' ${problem}; check this machine's clock, or make a new authority.`;
  throw new CertificatesError("OCTOPII_CERTIFICATES_AUTHORITY_EXPIRED", message, {
    details: { notBeforeMs: info.notBeforeMs, notAfterMs: info.notAfterMs },
  });
}
