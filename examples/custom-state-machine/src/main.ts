import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRejection } from "@octopii/core";
import { startThree } from "./cluster.js";
import { ticketOffice } from "./tickets.js";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown;

const directory = await mkdtemp(join(tmpdir(), "octopii-tickets-"));
const nodes = await startThree(directory, Number(process.env.BASE_PORT ?? 7100), () => ticketOffice(3));

for (const [i, buyer] of ["Ada", "Grace", "Ada", "Barbara", "Linus"].entries()) {
  try {
    const seat = decode((await nodes[i % 3]?.propose(encode(buyer))) ?? encode("0"));
    console.log(`node ${(i % 3) + 1} sold seat ${seat} to ${buyer}`);
  } catch (error) {
    // The state machine's answer: every replica came to it, and the log goes on.
    if (!isRejection(error)) throw error;
    console.log(`node ${(i % 3) + 1} refused: ${error.message}`);
  }
}
for (const node of nodes) console.log(`node ${node.id} holds ${JSON.stringify(decode(await node.query(new Uint8Array(0))))}`);

await Promise.all(nodes.map((node) => node.close()));
await rm(directory, { recursive: true });
