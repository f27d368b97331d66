import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import type { UdpSocket, UdpSockets } from "../src/index.js";

/** What becomes of datagrams on their way out. */
export interface Faults {
  readonly seed: number;
  /** Shares of datagrams, 0 to 1. */
  loss: number;
  duplication?: number;
  /** Held back for a few milliseconds, so that later ones overtake them. */
  delay?: number;
}

/** UDP on which datagrams are lost, doubled and overtaken by seed. */
export function faultySockets(faults: Faults): UdpSockets {
  let state = faults.seed;
  const chance = (share: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 < share;
  };
  const wrap = (socket: UdpSocket): UdpSocket => {
    const late = new Set<NodeJS.Timeout>();
    const again = (copy: Uint8Array, host: string, port: number) => {
      const buffer = socket.take();
      if (buffer === null) return;
      buffer.set(copy);
      socket.send(buffer, copy.length, host, port);
    };
    return {
      host: socket.host,
      port: socket.port,
      take: () => socket.take(),
      giveBack: (buffer) => socket.giveBack(buffer),
      send: (buffer, length, host, port) => {
        const copy = buffer.slice(0, length);
        if (chance(faults.duplication ?? 0)) again(copy, host, port);
        if (chance(faults.delay ?? 0)) {
          const timer = setTimeout(() => {
            late.delete(timer);
            again(copy, host, port);
          }, 3);
          late.add(timer);
          socket.giveBack(buffer);
        } else if (chance(faults.loss)) socket.giveBack(buffer);
        else socket.send(buffer, length, host, port);
      },
      close: () => {
        for (const timer of late) clearTimeout(timer);
        return socket.close();
      },
    };
  };
  return { resolve: nodeUdpSockets.resolve, open: async (options) => wrap(await nodeUdpSockets.open(options)) };
}
