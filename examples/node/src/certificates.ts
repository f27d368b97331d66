/** Makes an authority for the cluster and a certificate for each node, in `certificates/`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createAuthority, issueNodeCertificate } from "@octopii/certificates";

const cluster = "shop";
const write = (name: string, pem: string) => writeFileSync(`certificates/${name}.pem`, pem, { mode: 0o600 });

mkdirSync("certificates", { recursive: true });
const authority = await createAuthority({ cluster });
write("authority", authority.certificate);
// Whoever has this key can join the cluster: keep it off the nodes.
write("authority-key", authority.privateKey);
for (const nodeId of [1, 2, 3]) {
  const issued = await issueNodeCertificate(authority, { cluster, nodeId, name: `node-${nodeId}` });
  write(`node-${nodeId}`, issued.certificate);
  write(`node-${nodeId}-key`, issued.privateKey);
}
console.log("certificates/ holds an authority and three nodes' certificates");
