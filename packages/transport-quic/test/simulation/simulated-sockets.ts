import type { DatagramSocket } from "@octopii/testing";
import type { UdpSocket, UdpSocketOptions, UdpSockets } from "../../src/ports.js";

const prefixBytes = 4;
const firstFreePort = 49_152;

/** UDP on the simulated network: a process has one datagram socket, and the ports stand in front of each datagram. */
export function simulatedSockets(datagrams: DatagramSocket): UdpSockets {
  const open = new Map<number, UdpSocketOptions["onDatagram"]>();
  let nextPort = firstFreePort;
  datagrams.onDatagram = (bytes, from) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    open.get(view.getUint16(0))?.(bytes.subarray(prefixBytes), from, view.getUint16(2));
  };
  return {
    resolve: (host) => Promise.resolve({ host, family: 4 }),
    open: async ({ port: wanted, datagramBytes, onDatagram }): Promise<UdpSocket> => {
      const port = wanted === 0 ? nextPort++ : wanted;
      if (open.has(port)) throw Object.assign(new Error(`port ${port} is in use`), { code: "EADDRINUSE" });
      open.set(port, onDatagram);
      return {
        // As if it were bound to all interfaces, so that it reaches every host.
        host: datagrams.host,
        port,
        take: () => new Uint8Array(datagramBytes),
        giveBack: () => undefined,
        send: (buffer, length, host, remotePort) => {
          const bytes = new Uint8Array(prefixBytes + length);
          new DataView(bytes.buffer).setUint16(0, remotePort);
          new DataView(bytes.buffer).setUint16(2, port);
          bytes.set(buffer.subarray(0, length), prefixBytes);
          datagrams.send(host, bytes);
        },
        close: async () => {
          open.delete(port);
        },
      };
    },
  };
}
