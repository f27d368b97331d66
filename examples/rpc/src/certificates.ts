/** Makes an authority, and a certificate for the server and for the client, in `certificates/`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createAuthority, issueClientCertificate, issueNodeCertificate } from "@octopii/certificates";

const cluster = "greetings";
const write = (name: string, pem: string) => writeFileSync(`certificates/${name}.pem`, pem, { mode: 0o600 });

mkdirSync("certificates", { recursive: true });
const authority = await createAuthority({ cluster });
write("authority", authority.certificate);
const issued = {
  server: await issueNodeCertificate(authority, { cluster, nodeId: 1, name: "greeter" }),
  client: await issueClientCertificate(authority, { cluster, name: "visitor" }),
};
for (const [name, { certificate, privateKey }] of Object.entries(issued)) {
  write(name, certificate);
  write(`${name}-key`, privateKey);
}
console.log("certificates/ holds an authority, a server's certificate and a client's");
