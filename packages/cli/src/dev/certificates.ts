import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  checkValidity,
  createAuthority,
  type IssuedCertificate,
  issueClientCertificate,
  issueNodeCertificate,
} from "@octopii/certificates";
import { CliError } from "../errors.js";
import { readIfThere, writeWhole } from "./files.js";
import type { KeyPairPaths, Layout } from "./layout.js";

/**
 * Sees to it that a development cluster has its authority and a valid certificate for each node and for the client. What is there and
 * good is kept; certificates near their end are issued anew.
 * @param isNew - whether the cluster is being founded; only then is an authority made.
 */
export async function prepareCertificates(layout: Layout, cluster: string, ids: readonly number[], isNew: boolean): Promise<void> {
  const authority = await prepareAuthority(layout, cluster, isNew);
  const issuer = new X509Certificate(authority.certificate);
  await renew(layout.client, issuer, () => issueClientCertificate(authority, { cluster, name: "octopii-dev" }));
  for (const id of ids) {
    await renew(layout.node(id), issuer, () => issueNodeCertificate(authority, { cluster, nodeId: id, name: `node-${id}` }));
  }
}

async function prepareAuthority(layout: Layout, cluster: string, isNew: boolean): Promise<IssuedCertificate> {
  if (isNew) {
    const authority = await createAuthority({ cluster });
    writePair(layout.authority, authority);
    return authority;
  }
  const found = readPair(layout.authority);
  if (found !== null && isUsable(found, ["valid", "expiring"])) return found;
  const message = `The authority in ${layout.directory}/authority is missing, damaged or expired; restore it, or remove ${layout.directory} to begin anew.`;
  throw new CliError("OCTOPII_CLI_DIRECTORY_UNUSABLE", message);
}

async function renew(paths: KeyPairPaths, issuer: X509Certificate, issue: () => Promise<IssuedCertificate>): Promise<void> {
  const found = readPair(paths);
  if (found !== null && isUsable(found, ["valid"], issuer)) return;
  writePair(paths, await issue());
}

/** Whether a pair belongs together, stands in one of `states` of its life, and was signed by `issuer`, if one is given. */
function isUsable({ certificate, privateKey }: IssuedCertificate, states: readonly string[], issuer?: X509Certificate): boolean {
  try {
    const parsed = new X509Certificate(certificate);
    const isSigned = issuer === undefined || (parsed.checkIssued(issuer) && parsed.verify(issuer.publicKey));
    return isSigned && parsed.checkPrivateKey(createPrivateKey(privateKey)) && states.includes(checkValidity(certificate).state);
  } catch {
    return false;
  }
}

function readPair(paths: KeyPairPaths): IssuedCertificate | null {
  const certificate = readIfThere(paths.certificate);
  const privateKey = readIfThere(paths.privateKey);
  return certificate === null || privateKey === null ? null : { certificate, privateKey };
}

/** The key first: a certificate without its key would be taken for a whole pair. */
export function writePair(paths: Pick<KeyPairPaths, "certificate" | "privateKey">, { certificate, privateKey }: IssuedCertificate): void {
  writeWhole(paths.privateKey, privateKey, 0o600);
  writeWhole(paths.certificate, certificate, 0o644);
}
