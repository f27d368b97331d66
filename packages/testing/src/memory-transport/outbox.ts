import type { Frame } from "./frames.js";
import type { MemoryStream } from "./memory-stream.js";

/** The most bytes of streams that travel together, and so get lost together. */
const PACKET_BYTES = 64 * 1024;
/** The most frames that travel together. */
const PACKET_FRAMES = 256;

/** What one end of a connection has to send: frames that are ready, and streams that have more, each in its turn. */
export class Outbox {
  bytesSent = 0;
  #limit: number;
  #ready: Frame[] = [];
  #senders: MemoryStream[] = [];

  /** @param windowBytes - what the peer takes on all streams before it gives more credit. */
  constructor(windowBytes: number) {
    this.#limit = windowBytes;
  }

  put(frame: Frame): void {
    this.#ready.push(frame);
  }

  /** Puts a stream in line unless it is there. */
  enqueue(stream: MemoryStream): void {
    if (stream.queued || stream.id < 0 || !stream.wantsToSend) return;
    stream.queued = true;
    this.#senders.push(stream);
  }

  grow(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
  }

  clear(): void {
    this.#ready = [];
    this.#senders = [];
  }

  /** The next packet; null when nothing may leave. */
  nextPacket(): Frame[] | null {
    const packet = this.#ready.splice(0, PACKET_FRAMES);
    let bytes = 0;
    let idle = 0;
    while (bytes < PACKET_BYTES && packet.length < PACKET_FRAMES && idle < this.#senders.length) {
      const stream = this.#senders.shift() as MemoryStream;
      const frame = stream.nextFrame(Math.min(this.#limit - this.bytesSent, PACKET_BYTES - bytes));
      if (stream.wantsToSend) this.#senders.push(stream);
      else stream.queued = false;
      if (frame === null) {
        idle += 1;
        continue;
      }
      idle = 0;
      packet.push(frame);
      bytes += frame.bytes?.length ?? 0;
      this.bytesSent += frame.bytes?.length ?? 0;
    }
    return packet.length === 0 ? null : packet;
  }
}
