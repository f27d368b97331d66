import type { Identification, PeerIdentity } from "@octopii/interfaces";

const PREFIX = "octopii stand-in certificate 1\n";

/** Bytes that take the place of a certificate where there is no cryptography. They prove nothing. */
export function encodeStandInCertificate(identity: PeerIdentity): Uint8Array {
  const { name, cluster, nodeId } = identity;
  return new TextEncoder().encode(PREFIX + JSON.stringify({ name, cluster, nodeId }));
}

function refuse(reason: string): Identification {
  return { accepted: false, reason };
}

/** An `Identify` that believes whatever a stand-in certificate says. */
export function identifyStandIn(chain: readonly Uint8Array[]): Identification {
  const leaf = chain[0];
  if (leaf === undefined) return refuse("The peer showed no certificate.");
  const text = new TextDecoder().decode(leaf);
  if (!text.startsWith(PREFIX)) return refuse("The peer's certificate is no stand-in of the in-memory transport, version 1.");
  try {
    const value: unknown = JSON.parse(text.slice(PREFIX.length));
    if (isIdentity(value)) return { accepted: true, peer: { name: value.name, cluster: value.cluster, nodeId: value.nodeId } };
  } catch {
    // Falls through: what cannot be read is refused like what reads wrong.
  }
  return refuse("The peer's stand-in certificate names nobody.");
}

function isIdentity(value: unknown): value is PeerIdentity {
  if (typeof value !== "object" || value === null) return false;
  const { name, cluster, nodeId } = value as Record<string, unknown>;
  return (
    typeof name === "string" &&
    (cluster === null || typeof cluster === "string") &&
    (nodeId === null || (Number.isSafeInteger(nodeId) && (nodeId as number) > 0))
  );
}
