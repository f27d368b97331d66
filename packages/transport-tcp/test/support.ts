import { createAuthority, type IssuedCertificate, identifyForCluster, issueNodeCertificate } from "@octopii/certificates";
import type { Connection, Listener, Logger, Stream, StreamClose, Transport } from "@octopii/interfaces";
import { createTcpTransport, type TcpTransportOptions, type TcpTransportPorts } from "../src/index.js";

/** A cluster's authority and the certificates it gave out in this test file. */
export interface Cluster {
  readonly name: string;
  readonly authority: IssuedCertificate;
  /** A certificate of node `id`, made on first use. */
  node(id: number): Promise<IssuedCertificate>;
}

export async function createCluster(name = "reef"): Promise<Cluster> {
  const authority = await createAuthority({ cluster: name });
  const nodes = new Map<number, Promise<IssuedCertificate>>();
  return {
    name,
    authority,
    node: (nodeId) => {
      const issued = nodes.get(nodeId) ?? issueNodeCertificate(authority, { cluster: name, nodeId, name: `node-${nodeId}` });
      nodes.set(nodeId, issued);
      return issued;
    },
  };
}

/** The options of node `id`, which trusts its own cluster. */
export async function optionsOf(cluster: Cluster, id: number): Promise<TcpTransportOptions> {
  const { certificate, privateKey } = await cluster.node(id);
  return {
    credentials: { certificate, privateKey, authorities: cluster.authority.certificate },
    identify: identifyForCluster({ cluster: cluster.name }),
  };
}

/** Fails the test on a warning's worth of surprise: errors that the transport only logs. */
export function collectingLogger(): Logger & { readonly errors: unknown[] } {
  const errors: unknown[] = [];
  const nothing = () => undefined;
  return { errors, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: (fields) => errors.push(fields) };
}

/** Two nodes with a connection between them. */
export interface Pair {
  readonly dialer: Connection;
  readonly acceptor: Connection;
  readonly listener: Listener;
  readonly transports: readonly [Transport, Transport];
  readonly logger: ReturnType<typeof collectingLogger>;
  close(): Promise<void>;
}

export interface PairOptions {
  readonly options?: Partial<TcpTransportOptions>;
  readonly ports?: TcpTransportPorts;
  readonly address?: string;
}

export async function connectPair(
  cluster: Cluster,
  { options = {}, ports = {}, address = "127.0.0.1:0" }: PairOptions = {},
): Promise<Pair> {
  const logger = collectingLogger();
  const [a, b] = await Promise.all([optionsOf(cluster, 1), optionsOf(cluster, 2)]);
  const server = createTcpTransport({ ...a, ...options }, { logger, ...ports });
  const client = createTcpTransport({ ...b, ...options }, { logger, ...ports });
  let onAccepted: (connection: Connection) => void = () => undefined;
  const accepted = new Promise<Connection>((resolve) => {
    onAccepted = resolve;
  });
  const listener = await server.listen({ address, onConnection: onAccepted });
  const dialer = await client.connect(listener.address);
  const acceptor = await accepted;
  const close = async () => {
    await Promise.all([client.close(), server.close()]);
  };
  return { dialer, acceptor, listener, transports: [server, client], logger, close };
}

/** The next stream that the peer opens. */
export function nextStream(connection: Connection): Promise<Stream> {
  return new Promise((resolve) => {
    connection.onStream = (stream) => {
      connection.onStream = null;
      resolve(stream);
    };
  });
}

/** How the stream ends. Callbacks that were set before are called too. */
export function closeOf(stream: Stream): Promise<StreamClose> {
  const before = stream.onClose;
  return new Promise((resolve) => {
    stream.onClose = (close) => {
      before?.(close);
      resolve(close);
    };
  });
}

/** Gives every piece to `onBytes` as it comes; resolves when the peer's direction has ended, or the stream was closed. */
function drain(stream: Stream, onBytes: (bytes: Uint8Array) => void): Promise<void> {
  return new Promise((resolve) => {
    const take = () => {
      for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) onBytes(bytes);
      if (stream.ended) resolve();
    };
    stream.onReadable = take;
    closeOf(stream).then(
      () => resolve(),
      () => undefined,
    );
    take();
  });
}

/** All bytes of the peer's direction. */
export async function readAll(stream: Stream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await drain(stream, (bytes) => pieces.push(bytes));
  return new Uint8Array(Buffer.concat(pieces));
}

/** Writes with back-pressure and ends. */
export async function writeAll(stream: Stream, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    if (stream.write(piece)) continue;
    await new Promise<void>((resolve) => {
      stream.onDrain = resolve;
    });
  }
  stream.end();
}

/** Sends everything back on every stream. */
export function echo(connection: Connection): void {
  connection.onStream = (stream) => {
    const take = () => {
      for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) stream.write(bytes);
      if (stream.ended) stream.end();
    };
    stream.onReadable = take;
    take();
  };
}

/** Bytes that tell a shifted or missing piece. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const toText = (bytes: Uint8Array | null): string => (bytes === null ? "" : new TextDecoder().decode(bytes));

/** Resolves after the event loop has gone round a few times. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > timeoutMs) throw new Error("the condition did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
