import { createAuthority, identifyForCluster, issueNodeCertificate } from "@octopii/certificates";
import type { Identify, TlsCredentials } from "@octopii/interfaces";

/** What both ends of every wire prove themselves with. */
export interface Identities {
  readonly server: TlsCredentials;
  readonly client: TlsCredentials;
  readonly identify: Identify;
}

export async function createIdentities(): Promise<Identities> {
  const cluster = "bench";
  const authority = await createAuthority({ cluster });
  const issue = async (nodeId: number): Promise<TlsCredentials> => ({
    ...(await issueNodeCertificate(authority, { cluster, nodeId, name: `node-${nodeId}` })),
    authorities: authority.certificate,
  });
  const [server, client] = await Promise.all([issue(1), issue(2)]);
  return { server, client, identify: identifyForCluster({ cluster }) };
}
