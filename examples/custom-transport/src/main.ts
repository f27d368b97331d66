/** Three nodes of one cluster in this process, on a transport of our own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, isCoreError, keyValueClient, keyValueStore } from "@octopii/core";
import { createInsecureTransport } from "./insecure-transport.js";

const cluster = "demo";
const basePort = Number(process.env.BASE_PORT ?? 7500);
const members = [1, 2, 3].map((id) => ({ id, address: `127.0.0.1:${basePort + id}` }));
const directory = mkdtempSync(join(tmpdir(), "octopii-custom-transport-"));

const nodes = members.map(({ id }) => {
  const transport = createInsecureTransport({ identity: { name: `node-${id}`, cluster, nodeId: id } });
  return createNode({ cluster, id, directory: join(directory, `${id}`), members }, { stateMachine: keyValueStore(), transport });
});
await Promise.all(nodes.map((node) => node.start()));

const write = async (key: string, value: string, through: (typeof nodes)[number]) => {
  for (;;) {
    try {
      return await keyValueClient(through).put(key, new TextEncoder().encode(value));
    } catch (error) {
      // It may have happened, or not: to put the same value once more does no harm.
      if (!isCoreError(error) || error.outcome !== "unknown") throw error;
    }
  }
};
const read = async (key: string, through: (typeof nodes)[number]) => {
  return new TextDecoder().decode((await keyValueClient(through).get(key)) ?? undefined);
};
const [first] = nodes as [(typeof nodes)[number]];
await write("colour", "green", first);
for (const node of nodes) console.log(`node ${node.id} reads: ${await read("colour", node)}`);

// The leader leaves; the other two go on.
const leader = nodes.find((node) => node.status().role === "leader") ?? first;
await leader.close();
const [survivor] = nodes.filter((node) => node !== leader) as [(typeof nodes)[number]];
await write("colour", "blue", survivor);
console.log(`without node ${leader.id}, node ${survivor.id} reads: ${await read("colour", survivor)}`);

await Promise.all(nodes.map((node) => node.close()));
rmSync(directory, { recursive: true, force: true });
