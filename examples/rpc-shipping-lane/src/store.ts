/** The store: tells by calls what it has, and delivers by the shipping lane, on the connection that the call came on. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Transport } from "@octopii/interfaces";
import { createRpc, RpcError } from "@octopii/rpc";
import { createShippingLane } from "@octopii/shipping-lane";
import { deliver, list } from "./methods.js";

/** Serves the files of a directory. @returns where. */
export async function openStore(transport: Transport, directory: string) {
  const [rpc, lane] = [createRpc(), createShippingLane()];
  const names = () => readdirSync(directory).sort();

  rpc.router.handle(list, () => names().map((name) => ({ name, bytes: statSync(join(directory, name)).size })));

  rpc.router.handle(deliver, async (name, { connection, signal, peer }) => {
    // What a caller names is looked up, never opened.
    if (!names().includes(name)) throw new RpcError("NOT_FOUND", `There is no "${name}" here.`, { outcome: "failed" });
    const { checksum } = await lane.sendFile(connection, join(directory, name), { signal, metadata: { for: peer.name } });
    return checksum;
  });

  const listener = await transport.listen({
    address: "127.0.0.1:0",
    onConnection: (connection) => {
      // Each stream names its protocol, and goes to whom it concerns.
      connection.onStream = (stream) => {
        if (!rpc.acceptStream(stream, connection) && !lane.acceptStream(stream, connection)) stream.reset(1);
      };
    },
  });
  return {
    address: listener.address,
    close: async () => {
      await lane.close();
      await rpc.close();
      await transport.close();
    },
  };
}
