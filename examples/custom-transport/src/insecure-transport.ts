/**
 * A whole transport in three small files: streams over plain TCP. It is INSECURE: nothing is encrypted, and a peer is whoever it says it is.
 * Use it to learn what a transport has to do, or where something else protects the wire. Every callback runs in a turn of its own (`later`),
 * so none comes from inside a call or another callback.
 */
import { type AddressInfo, createServer, connect as netConnect, type Server, type Socket } from "node:net";
import type {
  Connection,
  ConnectionClose,
  ConnectionStats,
  ConnectOptions,
  Identification,
  IdentityRefusal,
  Listener,
  ListenOptions,
  OpenStreamOptions,
  PeerIdentity,
  Stream,
  Transport,
} from "@octopii/interfaces";
import { checkCode, frameBytesMax, headerBytes, kinds, later, uint32 } from "./frames.js";
import { LinkStream, type StreamLink } from "./link-stream.js";

export interface InsecureTransportOptions {
  /** Who we claim to be. */
  readonly identity: PeerIdentity;
  /** Whom we let in. The claim is a claim: nothing proves it. Default: everybody of our own cluster. */
  readonly insecureIdentify?: (claimed: PeerIdentity) => Identification;
}

const version = 1;
const patienceMs = 5_000;
const streamsMax = 4_096;
const brokenCode = 0xffff_ffff;

type Who = { readonly identity: PeerIdentity; readonly identify: (claimed: PeerIdentity) => Identification };

/** A promise and its ends. */
class Deferred<Value> {
  resolve: (value: Value) => void = () => undefined;
  reject: (error: unknown) => void = () => undefined;
  readonly promise = new Promise<Value>((resolve, reject) => Object.assign(this, { resolve, reject }));
}

export function createInsecureTransport(options: InsecureTransportOptions): Transport {
  return new InsecureTransport(options);
}

class InsecureTransport implements Transport {
  readonly #who: Who;
  readonly #servers = new Set<Server>();
  readonly #links = new Set<Link>();
  #closing: Promise<void> | null = null;

  constructor({ identity, insecureIdentify }: InsecureTransportOptions) {
    this.#who = { identity, identify: insecureIdentify ?? ((claimed) => sameCluster(claimed, identity)) };
  }

  async listen({ address, onConnection }: ListenOptions): Promise<Listener> {
    if (this.#closing !== null) throw new Error("The transport is closed; make another.");
    const server = createServer({ noDelay: true }, (socket) => {
      const link = this.#link(socket, false);
      // Who proves nothing, or is refused, is nobody's connection.
      link.onOpen = () => onConnection(link);
    });
    server.maxConnections = 1_024;
    const { host, port } = parseAddress(address);
    await new Promise<void>((resolve, reject) => {
      server.on("error", (cause) => reject(new Error(`Cannot listen on ${address}.`, { cause })));
      server.listen(port, host, resolve);
    });
    this.#servers.add(server);
    return { address: `${host}:${(server.address() as AddressInfo).port}`, close: async () => void server.close() };
  }

  async connect(address: string, { signal, timeoutMs = patienceMs }: ConnectOptions = {}): Promise<Connection> {
    if (this.#closing !== null) throw new Error("The transport is closed; make another.");
    signal?.throwIfAborted();
    const link = this.#link(netConnect({ ...parseAddress(address), noDelay: true }), true);
    const giveUp = (): void => link.fail(signal?.reason);
    const timer = setTimeout(() => link.fail(new Error(`${address} did not answer within ${timeoutMs} ms.`)), timeoutMs);
    signal?.addEventListener("abort", giveUp, { once: true });
    await link.ready.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    });
    return link;
  }

  close(): Promise<void> {
    for (const server of this.#servers) server.close();
    const gone = [...this.#links].map((link) => link.gone);
    for (const link of this.#links) link.close(0, "the transport closes");
    this.#closing ??= Promise.all(gone).then(() => undefined);
    return this.#closing;
  }

  #link(socket: Socket, isDialer: boolean): Link {
    const link = new Link(socket, isDialer, this.#who);
    this.#links.add(link);
    void link.gone.then(() => this.#links.delete(link));
    if (this.#closing !== null) link.close(0, "the transport closes");
    return link;
  }
}

/** One connection: a socket, its handshake, and its streams. */
class Link implements Connection, StreamLink {
  peer: PeerIdentity = { name: "nobody yet", cluster: null, nodeId: null };
  readonly remoteAddress: string;
  onStream: ((stream: Stream) => void) | null = null;
  onOpen: (() => void) | null = null;
  readonly #closed = new Deferred<ConnectionClose>();
  readonly #ready = new Deferred<void>();
  readonly closed = this.#closed.promise;
  /** Settles when both sides have accepted each other, or not. */
  readonly ready = this.#ready.promise;
  /** Resolves when the socket is gone. */
  readonly gone: Promise<unknown>;
  readonly #socket: Socket;
  readonly #isDialer: boolean;
  readonly #who: Who;
  readonly streams = new Map<number, LinkStream>();
  readonly #pulse: NodeJS.Timeout;
  readonly #greeting: NodeJS.Timeout;
  #state: "greeting" | "open" | "closed" = "greeting";
  #nextId: number;
  #lastPeerId = 0;
  #rest: Buffer = Buffer.alloc(0);
  #heardAt = Date.now();

  constructor(socket: Socket, isDialer: boolean, who: Who) {
    this.#socket = socket;
    this.#isDialer = isDialer;
    this.#who = who;
    // Odd numbers are the dialer's streams, even ones the acceptor's.
    this.#nextId = isDialer ? 1 : 2;
    this.remoteAddress = `${socket.remoteAddress ?? "dialed"}:${socket.remotePort ?? 0}`;
    this.ready.catch(() => undefined);
    this.gone = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (chunk) => this.#received(chunk));
    socket.on("error", (error) => this.#broke(error.message));
    socket.on("close", () => this.#broke("the peer went away"));
    this.#greeting = setTimeout(() => this.fail(new Error("The peer did not greet.")), patienceMs);
    this.#pulse = setInterval(() => this.#beat(), patienceMs / 3);
    if (isDialer) this.send(kinds.hello, version, encode(who.identity));
  }

  openStream(protocol: string, { unidirectional = false }: OpenStreamOptions = {}): Stream {
    if (!/^[\x20-\x7e]{1,64}$/.test(protocol)) throw new RangeError("A protocol's name is 1 to 64 printable ASCII characters.");
    if (this.#state !== "open") throw new Error("The connection is closed.");
    if (this.streams.size >= streamsMax) throw new Error(`${streamsMax} streams are open already.`);
    const stream = new LinkStream(this, this.#nextId, protocol, { writes: true, reads: !unidirectional });
    this.#nextId += 2;
    this.streams.set(stream.id, stream);
    this.send(kinds.open, stream.id, Buffer.concat([Buffer.from([unidirectional ? 1 : 0]), Buffer.from(protocol)]));
    return stream;
  }

  close(code: number, reason: string): void {
    checkCode(code);
    if (this.#state === "closed") return;
    if (this.#state === "open") this.send(kinds.close, 0, Buffer.concat([uint32(code), Buffer.from(reason).subarray(0, 512)]));
    this.#ready.reject(new Error(`The connection was closed: ${reason}.`));
    this.#end({ by: "local", code, reason });
  }

  stats(): ConnectionStats {
    return {
      bytesSent: this.#socket.bytesWritten,
      bytesReceived: this.#socket.bytesRead,
      roundTripMs: null,
      openStreams: this.streams.size,
    };
  }

  /** The handshake does not come to its end. */
  fail(error: unknown): void {
    if (this.#state !== "greeting") return;
    this.#ready.reject(error);
    this.#end({ by: "error", code: brokenCode, reason: String(error) });
  }

  forget({ id }: LinkStream): void {
    this.streams.delete(id);
  }

  send(kind: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    if (this.#state === "closed") return;
    // What one turn writes leaves in as few writes as it takes.
    this.#socket.cork();
    this.#socket.write(Buffer.concat([Buffer.from([kind]), uint32(stream), uint32(payload.length)]));
    if (payload.length > 0) this.#socket.write(payload);
    process.nextTick(() => this.#socket.uncork());
  }

  #beat(): void {
    if (this.#state !== "open") return;
    if (Date.now() - this.#heardAt > patienceMs) this.#end({ by: "timeout", code: brokenCode, reason: "the peer fell silent" });
    else this.send(kinds.ping, 0);
  }

  #received(chunk: Buffer): void {
    this.#heardAt = Date.now();
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= headerBytes && this.#state !== "closed") {
      const length = bytes.readUInt32BE(5);
      // Before anything is kept for it.
      if (length > frameBytesMax) return this.#broke(`a frame of ${length} bytes`);
      if (bytes.length < headerBytes + length) break;
      const payload = bytes.subarray(headerBytes, headerBytes + length);
      if (this.#state === "greeting") this.#greeted(bytes.readUInt8(0), bytes.readUInt32BE(1), payload);
      else this.#frame(bytes.readUInt8(0), bytes.readUInt32BE(1), payload);
      bytes = bytes.subarray(headerBytes + length);
    }
    this.#rest = bytes;
  }

  #greeted(kind: number, theirVersion: number, payload: Buffer): void {
    if (kind === kinds.refuse) return this.fail(refused({ by: "remote", reason: payload.toString().slice(0, 512) }));
    if (kind === kinds.accept && !this.#isDialer && this.peer.name !== "nobody yet") return this.#opened();
    const claimed = kind === kinds.hello && theirVersion === version ? decode(payload) : null;
    if (claimed === null) return this.fail(new Error(`The peer does not speak version ${version} of this protocol.`));
    const judged = this.#who.identify(claimed);
    if (!judged.accepted) {
      this.send(kinds.refuse, 0, Buffer.from(judged.reason).subarray(0, 512));
      return this.fail(refused({ by: "local", reason: judged.reason }));
    }
    this.peer = judged.peer;
    if (!this.#isDialer) return this.send(kinds.hello, version, encode(this.#who.identity));
    this.send(kinds.accept, 0);
    this.#opened();
  }

  #opened(): void {
    this.#state = "open";
    this.#ready.resolve();
    if (this.onOpen !== null) later(this.onOpen); // Before the streams that may come with the same bytes.
  }

  #frame(kind: number, id: number, payload: Buffer): void {
    if (kind === kinds.ping) return;
    if (kind === kinds.open) return this.#peerOpened(id, payload);
    if (kind === kinds.close && payload.length >= 4) {
      return this.#end({ by: "remote", code: payload.readUInt32BE(0), reason: payload.subarray(4).toString() });
    }
    // A stream that we have given up is not known any more; what was on its way is nobody's.
    const problem = this.streams.get(id)?.received(kind, payload) ?? null;
    if (problem !== null) this.close(brokenCode, problem);
  }

  #peerOpened(id: number, payload: Buffer): void {
    const isTheirs = id % 2 === (this.#isDialer ? 0 : 1);
    if (!isTheirs || id <= this.#lastPeerId || payload.length < 2) return this.close(brokenCode, "a stream out of turn");
    this.#lastPeerId = id;
    const stream = new LinkStream(this, id, payload.subarray(1).toString("latin1"), { writes: payload[0] !== 1, reads: true });
    this.streams.set(id, stream);
    if (this.streams.size > streamsMax) return stream.refuse();
    later(() => (this.onStream === null ? stream.refuse() : this.onStream(stream)));
  }

  #broke(reason: string): void {
    if (this.#state === "greeting") this.fail(new Error(`The connection broke: ${reason}.`));
    else this.#end({ by: "error", code: brokenCode, reason });
  }

  #end(close: ConnectionClose): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearInterval(this.#pulse);
    clearTimeout(this.#greeting);
    for (const stream of [...this.streams.values()]) stream.over({ by: "connection", code: close.code });
    // What was said last still leaves; a peer that does not take it does not hold the socket for long.
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), 500).unref();
    if (close.by !== "local") this.#socket.destroySoon();
    later(() => this.#closed.resolve(close));
  }
}

function sameCluster(claimed: PeerIdentity, own: PeerIdentity): Identification {
  if (claimed.cluster === own.cluster) return { accepted: true, peer: claimed };
  return { accepted: false, reason: `${claimed.name} is of cluster ${String(claimed.cluster)}, not ${String(own.cluster)}` };
}

/** Carried where who asks finds it (`details.refusal`), so that a node can tell a refusal from a peer that is down. */
function refused(refusal: IdentityRefusal): Error {
  const who = refusal.by === "local" ? "We refuse the peer" : "The peer refuses us";
  return Object.assign(new Error(`${who}: ${refusal.reason}.`), { details: { refusal } });
}

const encode = (identity: PeerIdentity): Buffer => Buffer.from(JSON.stringify(identity));

function decode(payload: Buffer): PeerIdentity | null {
  try {
    const { name, cluster, nodeId } = JSON.parse(payload.toString()) as Partial<PeerIdentity>;
    const isNode = nodeId === null || (Number.isSafeInteger(nodeId) && Number(nodeId) > 0);
    if (typeof name !== "string" || !(cluster === null || typeof cluster === "string") || !isNode) return null;
    return { name: name.slice(0, 64), cluster, nodeId: nodeId ?? null };
  } catch {
    return null;
  }
}

function parseAddress(address: string): { host: string; port: number } {
  const { hostname, port } = new URL(`tcp://${address}`);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}
