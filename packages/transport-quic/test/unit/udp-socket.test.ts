import { Socket } from "node:dgram";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nodeUdpSockets } from "../../src/adapters/udp-socket.js";
import type { UdpSocket } from "../../src/ports.js";

const datagramBytes = 1_200;
const open: UdpSocket[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

async function socketWith(systemBufferBytes: number, onDatagram: (datagram: Uint8Array) => void = () => undefined): Promise<UdpSocket> {
  const socket = await nodeUdpSockets.open({ host: "127.0.0.1", port: 0, family: 4, datagramBytes, systemBufferBytes, onDatagram });
  open.push(socket);
  return socket;
}

describe("the buffers of a UDP socket", () => {
  it("are one for a whole burst where the kernel takes each datagram at once", async () => {
    const receiver = await socketWith(4 * 1024 * 1024);
    const sender = await socketWith(4 * 1024 * 1024);
    const used = new Set<Uint8Array>();
    for (let i = 0; i < 100; i++) {
      const buffer = sender.take();
      if (buffer === null) throw new Error("there is no buffer");
      used.add(buffer);
      sender.send(buffer, datagramBytes, receiver.host, receiver.port);
    }
    expect(used.size).toBe(1);
  });

  it("are not given out again before the kernel has taken what they hold, and end somewhere", async () => {
    const receiver = await socketWith(4 * 1024 * 1024);
    const sender = await socketWith(4 * 1024 * 1024);
    const held: Uint8Array[] = [];
    // A kernel that takes nothing: loopback never shows one.
    const queued = vi.spyOn(Socket.prototype, "getSendQueueCount").mockImplementation(() => held.length);
    for (let buffer = sender.take(); buffer !== null && held.length < 5_000; buffer = sender.take()) {
      expect(held).not.toContain(buffer);
      held.push(buffer);
      sender.send(buffer, datagramBytes, receiver.host, receiver.port);
    }
    expect(held).toHaveLength(1_024);
    // It takes all but the last ten, in their order.
    queued.mockImplementation(() => 10);
    const again = new Set<Uint8Array>();
    for (let i = 0; i < 1_014; i++) again.add(sender.take() ?? new Uint8Array(0));
    expect(again).toEqual(new Set(held.slice(0, 1_014)));
    expect(sender.take()).toBeNull();
    queued.mockRestore();
    expect(sender.take()).toBe(held.at(-1));
  });

  it("come back from a datagram that cannot be sent", async () => {
    const sender = await socketWith(4 * 1024);
    const used = new Set<Uint8Array>();
    for (const [host, port] of [
      ["127.0.0.1", 0],
      ["not an address", 1],
      ["255.255.255.255", 1],
    ] as const) {
      for (let i = 0; i < 1_000; i++) {
        const buffer = sender.take();
        if (buffer === null) throw new Error("there is no buffer");
        used.add(buffer);
        sender.send(buffer, datagramBytes, host, port);
      }
    }
    expect(used.size).toBe(1);
  });
});
