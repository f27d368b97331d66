import type { Connection, Stream, Transport } from "@octopii/interfaces";
import { createQuicTransport } from "@octopii/transport-quic";
import { createTcpTransport } from "@octopii/transport-tcp";
import type { Identities } from "../credentials.js";
import { inParallel, messageBytes, oneByOne, pieceBytes, type Wire } from "./wire.js";

type Kind = "quic" | "tcp";

function createTransport(kind: Kind, credentials: Identities["server"], identify: Identities["identify"], streams: number): Transport {
  const options = { credentials, identify, maxIncomingStreams: streams };
  return kind === "quic" ? createQuicTransport(options) : createTcpTransport(options);
}

/** A pair of Octopii transports with their default options. */
export interface OctopiiPair {
  readonly dialer: Connection;
  readonly acceptor: Connection;
  close(): Promise<void>;
}

/** @param streams - how many each side may open at one time. */
export async function openPair(kind: Kind, { server, client, identify }: Identities, streams = 4_096): Promise<OctopiiPair> {
  const [listening, dialing] = [createTransport(kind, server, identify, streams), createTransport(kind, client, identify, streams)];
  const accepted: Connection[] = [];
  const listener = await listening.listen({ address: "127.0.0.1:0", onConnection: (connection) => accepted.push(connection) });
  const dialer = await dialing.connect(listener.address);
  while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const [acceptor] = accepted;
  if (acceptor === undefined) throw new Error("The listener was given no connection.");
  return { dialer, acceptor, close: async () => void (await Promise.all([dialing.close(), listening.close()])) };
}

/** Sends back what comes. */
function echo(stream: Stream): void {
  stream.onReadable = () => {
    for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) stream.write(bytes);
    if (stream.ended) stream.end();
  };
}

export async function openOctopii(kind: Kind, identities: Identities): Promise<Wire> {
  const { dialer, acceptor, close } = await openPair(kind, identities);
  let onBulkEnd = (): void => undefined;
  acceptor.onStream = (stream) => {
    if (stream.protocol === "echo") return echo(stream);
    stream.onReadable = () => {
      while (stream.read() !== null);
      if (stream.ended) onBulkEnd();
    };
  };
  return {
    bulk: (bytes) =>
      new Promise((resolve) => {
        onBulkEnd = resolve;
        const stream = dialer.openStream("bulk", { unidirectional: true });
        const piece = new Uint8Array(pieceBytes);
        let left = bytes / pieceBytes;
        const send = (): void => {
          while (left > 0) {
            left -= 1;
            if (!stream.write(piece)) return;
          }
          stream.end();
        };
        stream.onDrain = send;
        send();
      }),
    echo: (count) => {
      const stream = dialer.openStream("echo");
      return oneByOne(count, (answered) => {
        stream.onReadable = () => {
          let bytes = 0;
          for (let piece = stream.read(); piece !== null; piece = stream.read()) bytes += piece.length;
          if (bytes > 0) answered();
        };
        return () => void stream.write(new Uint8Array(messageBytes));
      }).finally(() => stream.end());
    },
    calls: (count, inFlight) =>
      inParallel(count, inFlight, (done) => {
        const stream = dialer.openStream("echo");
        stream.write(new Uint8Array(messageBytes));
        stream.end();
        stream.onReadable = () => {
          while (stream.read() !== null);
        };
        stream.onClose = done;
      }),
    close,
  };
}
