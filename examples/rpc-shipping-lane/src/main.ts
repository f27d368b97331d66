/** A customer of the store: one connection, on which calls are answered while a large file comes in. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createAuthority, identifyForCluster, issueNodeCertificate } from "@octopii/certificates";
import { createRpc, isRpcError } from "@octopii/rpc";
import { createShippingLane } from "@octopii/shipping-lane";
import { createQuicTransport } from "@octopii/transport-quic";
import { deliver, list } from "./methods.js";
import { openStore } from "./store.js";

const authority = await createAuthority({ cluster: "factory" });
const transportOf = async (nodeId: number, name: string) => {
  const own = await issueNodeCertificate(authority, { cluster: "factory", nodeId, name });
  return createQuicTransport({
    credentials: { ...own, authorities: authority.certificate },
    identify: identifyForCluster({ cluster: "factory" }),
  });
};

for (const directory of ["artifacts", "downloads"]) mkdirSync(directory, { recursive: true });
writeFileSync("artifacts/image.bin", new Uint8Array(16_000_000).fill(1));
writeFileSync("artifacts/notes.txt", "what is new\n");
const store = await openStore(await transportOf(1, "store"), "artifacts");

const transport = await transportOf(2, "customer");
const connection = await transport.connect(store.address);
const lane = createShippingLane();
lane.onOffer = async (offer) => {
  await offer.saveTo(`downloads/${offer.name}`, { maxBytes: 100_000_000, replace: true });
};
lane.serve(connection);
const rpc = createRpc();
const client = rpc.client(connection);

for (const { name, bytes } of await client.call(list, undefined)) console.log(`the store has ${name}, ${bytes} bytes`);

// The large one is on its way; meanwhile, calls on the same connection are answered.
let isHere = false;
const delivery = client.call(deliver, "image.bin", { timeoutMs: 60_000 }).finally(() => {
  isHere = true;
});
let answered = 0;
while (!isHere) {
  await client.call(list, undefined);
  answered += 1;
}
const checksum = await delivery;
const found = createHash("sha256").update(readFileSync("downloads/image.bin")).digest("hex");
console.log(`image.bin ${found === checksum ? "is here, and is what the store has" : "IS DAMAGED"}`);
console.log(`${answered > 1 ? "calls were" : "NO CALL WAS"} answered while it came`);

try {
  await client.call(deliver, "../../etc/passwd");
} catch (error) {
  if (!isRpcError(error, "OCTOPII_RPC_NOT_FOUND")) throw error;
  console.log(`the store says: ${error.message}`);
}

await rpc.close();
await lane.close();
await transport.close();
await store.close();
