import type { Identification, Identify, PeerIdentity } from "@octopii/interfaces";
import { type CertificateInfo, readCertificate } from "./certificate-info.js";
import { isClusterName } from "./names.js";

/** Whom {@link identifyForCluster} accepts. */
export interface IdentifyOptions {
  /** The cluster whose members and clients are accepted. */
  readonly cluster: string;
  /** Which kinds of peers. Default: both. Between nodes alone, give `["node"]`. */
  readonly accept?: readonly ("node" | "client")[];
}

/**
 * Makes the function by which a transport learns who a peer is. It accepts a certificate of the given cluster whose extended key usage
 * fits its kind: a node's proves server and client, a client's proves a client only. The transport has checked signature and dates.
 * It never throws: whatever cannot be read is refused.
 * @throws RangeError if an option is wrong.
 */
export function identifyForCluster(options: IdentifyOptions): Identify {
  const { cluster, accept = ["node", "client"] } = options;
  if (!isClusterName(cluster)) throw new RangeError(`Identify: cluster must be a cluster's name, not '${cluster}'.`);
  return (chain) => {
    const [leaf] = chain;
    if (leaf === undefined) return refuse("the peer showed no certificate");
    let info: CertificateInfo;
    try {
      info = readCertificate(leaf);
    } catch {
      return refuse("the peer's certificate cannot be read");
    }
    return judge(info, cluster, accept);
  };
}

function refuse(reason: string): Identification {
  return { accepted: false, reason };
}

function judge(info: CertificateInfo, cluster: string, accept: readonly string[]): Identification {
  if (info.kind !== "node" && info.kind !== "client") {
    return refuse(`the certificate of '${info.subject}' names neither a node nor a client of a cluster`);
  }
  if (info.name === null) return refuse(`the certificate of '${info.subject}' has no usable common name`);
  if (info.cluster !== cluster) return refuse(`'${info.name}' belongs to cluster '${info.cluster}', not '${cluster}'`);
  if (!info.clientUse || info.serverUse !== (info.kind === "node")) {
    return refuse(`the certificate of '${info.name}' may not be used as a ${info.kind}'s: its extended key usage is wrong`);
  }
  if (!accept.includes(info.kind)) return refuse(`'${info.name}' is a ${info.kind}, and only a ${accept.join(" or ")} may connect here`);
  const peer: PeerIdentity = { name: info.name, cluster, nodeId: info.nodeId };
  return { accepted: true, peer };
}
