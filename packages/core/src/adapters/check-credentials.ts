import { createPrivateKey, type X509Certificate } from "node:crypto";
import { checkValidity, readCertificate } from "@octopii/certificates";
import type { Clock, NodeId, TlsCredentials } from "@octopii/interfaces";
import { parseAuthorities, parseCertificate } from "./authorities.js";

/**
 * What is wrong with a node's own credentials, in sentences without a full stop; empty if they fit. Every peer would refuse a
 * handshake with them, but only this node can tell why.
 */
export function credentialProblems(credentials: TlsCredentials, cluster: string, nodeId: NodeId, clock: Clock): string[] {
  const certificate = parseCertificate(credentials.certificate);
  if (certificate === null) return ["the certificate is not readable PEM; give one that this cluster's authority has issued for the node"];
  return [
    ...identityProblems(credentials.certificate, cluster, nodeId),
    ...keyProblems(certificate, credentials.privateKey),
    ...authorityProblems(certificate, credentials.authorities),
    ...validityProblems(credentials.certificate, clock),
  ];
}

function identityProblems(pem: string, cluster: string, nodeId: NodeId): string[] {
  const info = readCertificate(pem);
  if (info.kind !== "node")
    return [
      `the certificate is not a node's but is of kind "${info.kind}"; give one that this cluster's authority has issued for the node`,
    ];
  const problems: string[] = [];
  if (info.cluster !== cluster)
    problems.push(`the certificate is for cluster ${String(info.cluster)}, not ${cluster}: give one of this cluster`);
  if (info.nodeId !== nodeId) problems.push(`the certificate is for node ${String(info.nodeId)}, not ${nodeId}: give each node its own`);
  return problems;
}

function keyProblems(certificate: X509Certificate, privateKey: string): string[] {
  try {
    return certificate.checkPrivateKey(createPrivateKey(privateKey))
      ? []
      : ["the private key does not belong to the certificate: give the pair that was made together"];
  } catch {
    return ["the private key is not readable PEM; give the one that was made with the certificate"];
  }
}

function authorityProblems(certificate: X509Certificate, authorities: string): string[] {
  const known = parseAuthorities(authorities);
  if (known.length === 0) return ["no authority's certificate is given, or none is readable PEM; give that of this cluster's authority"];
  const signed = known.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
  return signed ? [] : ["the certificate was signed by another authority than the one given; issue it with this cluster's authority"];
}

function validityProblems(pem: string, clock: Clock): string[] {
  const { state, message } = checkValidity(pem, { clock });
  return state === "valid" || state === "expiring" ? [] : [message.replace(/\.$/, "")];
}
