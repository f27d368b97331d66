import { createSocket } from "node:dgram";

/**
 * Where free ports are looked for: below the ranges from which systems give ports to clients (from 32768 on Linux, 49152 elsewhere), so
 * that a port stays free while its node is down for a moment.
 */
const range = { first: 20_000, last: 32_000 };
const attempts = 200;

/** Whether nobody has a UDP port on loopback. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    socket.bind({ address: "127.0.0.1", port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}

/** Free UDP ports on loopback, one after the other. @throws if so many in a row cannot be found. */
export async function findFreePorts(count: number): Promise<number[]> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const base = range.first + 10 * Math.floor((Math.random() * (range.last - range.first)) / 10) + 1;
    const ports = portsFrom(base, count);
    const free = await Promise.all(ports.map(isFree));
    if (!free.includes(false)) return ports;
  }
  throw new Error(`No ${count} free UDP ports in a row were found between ${range.first} and ${range.last} on 127.0.0.1.`);
}

/** `count` ports from `base` on. */
export function portsFrom(base: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => base + i);
}
