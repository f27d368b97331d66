import type { AddressInfo, createServer } from "node:net";
import { connect, createServer as createTlsServer, type Server, type TLSSocket } from "node:tls";
import type { Identities } from "../credentials.js";
import { messageBytes, oneByOne, pieceBytes, type Wire } from "./wire.js";

type Mode = "bulk" | "echo";

/** Bare node:tls 1.3 with certificates on both sides, and nothing on top: one byte stream, which has no calls. */
export async function openNodeTls({ server, client }: Identities): Promise<Omit<Wire, "calls">> {
  let mode: Mode = "echo";
  let wanted = 0;
  let onBulkEnd = (): void => undefined;
  const accepted = (socket: TLSSocket): void => {
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      if (mode === "echo") return void socket.write(bytes);
      wanted -= bytes.length;
      if (wanted === 0) onBulkEnd();
    });
  };
  const listening = createTlsServer(
    {
      cert: server.certificate,
      key: server.privateKey,
      ca: server.authorities,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.3",
    },
    accepted,
  );
  const port = await listen(listening);
  const socket = connect({
    port,
    host: "127.0.0.1",
    cert: client.certificate,
    key: client.privateKey,
    ca: client.authorities,
    servername: "node.octopii.internal",
    minVersion: "TLSv1.3",
  });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return {
    bulk: (bytes) =>
      new Promise((resolve) => {
        mode = "bulk";
        wanted = bytes;
        onBulkEnd = resolve;
        const piece = new Uint8Array(pieceBytes);
        let left = bytes / pieceBytes;
        const send = (): void => {
          while (left > 0) {
            left -= 1;
            if (socket.write(piece)) continue;
            socket.once("drain", send);
            return;
          }
        };
        send();
      }),
    echo: (count) => {
      mode = "echo";
      return oneByOne(count, (answered) => {
        socket.on("data", answered);
        return () => void socket.write(new Uint8Array(messageBytes));
      }).finally(() => socket.removeAllListeners("data"));
    },
    close: async () => {
      socket.destroy();
      await new Promise<void>((resolve) => void listening.close(() => resolve()));
    },
  };
}

function listen(server: Server | ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}
