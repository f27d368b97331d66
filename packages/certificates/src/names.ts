import type { NodeId } from "@octopii/interfaces";

/**
 * The DNS name that every node certificate carries, and the server name to dial with. TLS checks it against the certificate, so a
 * node can be dialed at any address; who it is stands in the URI beside it. The `internal` domain never resolves on the Internet.
 */
export const nodeServerName: string = "node.octopii.internal";

/** Whom a certificate speaks for, as its URI says. */
export type CertificateSubject =
  | { readonly kind: "authority"; readonly cluster: string }
  | { readonly kind: "node"; readonly cluster: string; readonly nodeId: NodeId }
  | { readonly kind: "client"; readonly cluster: string; readonly name: string };

const namePattern = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?";
const clusterPattern = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const wholeName = new RegExp(`^${namePattern}$`);
const wholeCluster = new RegExp(`^${clusterPattern}$`);
const uriPattern = new RegExp(`^octopii://(${clusterPattern})/(?:(authority)|node/([1-9][0-9]{0,15})|client/(${namePattern}))$`);

/** The scheme of the URIs that name subjects. */
export const uriScheme: string = "octopii://";

/** Whether `text` can name a cluster: 1 to 63 of `a-z`, `0-9` and `-`, with a letter or digit at both ends, as @octopii/core has it. */
export function isClusterName(text: unknown): text is string {
  return typeof text === "string" && wholeCluster.test(text);
}

/** Whether `text` can name a node or client: 1 to 63 letters, digits, `.`, `_` and `-`, with a letter or digit at both ends. */
export function isName(text: unknown): text is string {
  return typeof text === "string" && wholeName.test(text);
}

/** Whether `value` can be a node's id. */
export function isNodeId(value: unknown): value is NodeId {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** The URI of a subject: `octopii://<cluster>/authority`, `…/node/<id>` or `…/client/<name>`. */
export function formatSubject(subject: CertificateSubject): string {
  const base = `${uriScheme}${subject.cluster}`;
  switch (subject.kind) {
    case "authority":
      return `${base}/authority`;
    case "node":
      return `${base}/node/${subject.nodeId}`;
    case "client":
      return `${base}/client/${subject.name}`;
  }
}

/** The subject that a URI names; null for any other text. */
export function parseSubject(uri: string): CertificateSubject | null {
  const [, cluster, authority, id, name] = uriPattern.exec(uri) ?? [];
  if (cluster === undefined) return null;
  if (authority !== undefined) return { kind: "authority", cluster };
  if (name !== undefined) return { kind: "client", cluster, name };
  const nodeId = Number(id);
  return isNodeId(nodeId) ? { kind: "node", cluster, nodeId } : null;
}
