import { readFileSync } from "node:fs";
import { createNode, keyValueClient, keyValueStore } from "@octopii/core";

const id = Number(process.argv[2]);
const basePort = Number(process.env.BASE_PORT ?? 7000);
const pem = (name: string) => readFileSync(`certificates/${name}.pem`, "utf8");

const node = createNode(
  {
    cluster: "shop",
    id,
    directory: `data/${id}`,
    members: [1, 2, 3].map((member) => ({ id: member, address: `127.0.0.1:${basePort + member}` })),
    credentials: { certificate: pem(`node-${id}`), privateKey: pem(`node-${id}-key`), authorities: pem("authority") },
  },
  { stateMachine: keyValueStore() },
);
await node.start();

const kv = keyValueClient(node);
await kv.put(`greeting of ${id}`, new TextEncoder().encode("hello")); // safe on the disks of two of three
const greeting = await kv.get(`greeting of ${id}`); // linearizable, on any node
console.log(`node ${id} reads: ${new TextDecoder().decode(greeting ?? undefined)}`);
process.once("SIGINT", () => void node.close());
