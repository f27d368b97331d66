/** Two programs in one: a receiver that decides what it takes, and a sender. All they share is a cluster's authority. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createAuthority, identifyForCluster, issueNodeCertificate } from "@octopii/certificates";
import { createShippingLane, isLaneError } from "@octopii/shipping-lane";
import { createTcpTransport } from "@octopii/transport-tcp";

const authority = await createAuthority({ cluster: "harbour" });
const transportOf = async (nodeId: number, name: string) => {
  const own = await issueNodeCertificate(authority, { cluster: "harbour", nodeId, name });
  return createTcpTransport({
    credentials: { ...own, authorities: authority.certificate },
    identify: identifyForCluster({ cluster: "harbour" }),
  });
};

// The receiver: nothing travels before it has decided, and nothing is in the inbox before it is whole, checked and flushed.
mkdirSync("inbox", { recursive: true });
const receiver = createShippingLane();
const transport = await transportOf(1, "warehouse");
receiver.onOffer = async (offer) => {
  if (offer.metadata.kind === "note") {
    const { data } = await offer.toMemory({ maxBytes: 1_000 });
    console.log(`warehouse: a note of ${offer.peer.name}: ${new TextDecoder().decode(data)}`);
  } else if (offer.name.endsWith(".exe")) offer.refuse("no programs, please.");
  else await offer.saveTo(`inbox/${offer.name}`, { maxBytes: 100_000_000, replace: true });
};
const listener = await transport.listen({ address: "127.0.0.1:0", onConnection: (connection) => receiver.serve(connection) });

// The sender: a file, bytes from memory, something that is not wanted, and something that it thinks better of.
writeFileSync("cargo.bin", new Uint8Array(20_000_000).fill(7));
const sender = createShippingLane();
const ship = await transportOf(2, "ship");
const connection = await ship.connect(listener.address);

let quarter = 1;
const { checksum, bytes, peer } = await sender.sendFile(connection, "cargo.bin", {
  onProgress: ({ transferredBytes, totalBytes }) => {
    if (transferredBytes < (quarter * totalBytes) / 4) return;
    console.log(`ship: ${quarter * 25} % are on the warehouse's disk`);
    quarter += 1;
  },
});
console.log(`ship: ${bytes} bytes are safe at ${peer.name}, SHA-256 ${checksum.slice(0, 16)}…`);
if (!readFileSync("cargo.bin").equals(readFileSync("inbox/cargo.bin"))) throw new Error("what came is not what was sent");

await sender.sendBytes(connection, new TextEncoder().encode("mind the eggs"), { name: "note", metadata: { kind: "note" } });

try {
  await sender.sendBytes(connection, new Uint8Array(10), { name: "game.exe" });
} catch (error) {
  if (!isLaneError(error, "OCTOPII_LANE_REFUSED")) throw error;
  console.log(`ship: ${error.message}`);
}

const change = new AbortController();
const second = sender.sendFile(connection, "cargo.bin", {
  name: "second.bin",
  signal: change.signal,
  onProgress: () => change.abort("changed our minds"),
});
console.log(`ship: the second cargo was called back: ${await second.catch(String)}`);

for (const part of [sender, receiver, ship, transport]) await part.close();
