import { createAuthority, issueNodeCertificate } from "@octopii/certificates";
import { createNode, type Node, type StateMachine } from "@octopii/core";

const cluster = "theatre";

/** Three nodes in this process, over QUIC with certificates of their own, with their data under `directory`. */
export async function startThree(directory: string, basePort: number, makeStateMachine: () => StateMachine): Promise<Node[]> {
  const authority = await createAuthority({ cluster });
  const members = [1, 2, 3].map((id) => ({ id, address: `127.0.0.1:${basePort + id}` }));
  const nodes: Node[] = [];
  for (const { id } of members) {
    const issued = await issueNodeCertificate(authority, { cluster, nodeId: id, name: `node-${id}` });
    const credentials = { ...issued, authorities: authority.certificate };
    nodes.push(createNode({ cluster, id, directory: `${directory}/${id}`, members, credentials }, { stateMachine: makeStateMachine() }));
  }
  await Promise.all(nodes.map((node) => node.start()));
  return nodes;
}
