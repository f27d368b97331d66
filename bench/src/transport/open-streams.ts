/** A process of its own: the memory that 10,000 open streams take, at both ends together, in MiB. @param argv[2] - `quic` or `tcp`. */
import type { Stream } from "@octopii/interfaces";
import { createIdentities } from "./credentials.js";
import { openPair } from "./wires/octopii.js";
import { messageBytes } from "./wires/wire.js";

const streamCount = 10_000;
const warmUpCount = 500;
const residentMiB = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().rss / (1024 * 1024);
};

const { dialer, acceptor, close } = await openPair(
  process.argv[2] === "tcp" ? "tcp" : "quic",
  await createIdentities(),
  streamCount + warmUpCount,
);
const held: Stream[] = [];
acceptor.onStream = (stream) => {
  held.push(stream);
  stream.onReadable = () => {
    for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) stream.write(bytes);
  };
};

/** Opens streams that have each carried a message there and back, and stay open. */
function open(count: number): Promise<void> {
  return new Promise((resolve) => {
    let answered = 0;
    for (let i = 0; i < count; i += 1) {
      const stream = dialer.openStream("held");
      held.push(stream);
      stream.onReadable = () => {
        while (stream.read() !== null);
        answered += 1;
        if (answered === count) resolve();
      };
      stream.write(new Uint8Array(messageBytes));
    }
  });
}

await open(warmUpCount);
const before = residentMiB();
await open(streamCount);
process.stdout.write(`${residentMiB() - before} ${held.length}\n`);
await close();
