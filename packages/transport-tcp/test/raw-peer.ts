import { connect, type TLSSocket } from "node:tls";
import type { TlsCredentials } from "@octopii/interfaces";
import { parseAddress } from "../src/address.js";
import { encodeHello, frameHeaderBytes, type Hello, writeHeader } from "../src/wire/frame.js";
import { type FrameHandler, FrameReader } from "../src/wire/frame-reader.js";
import { until } from "./support.js";

const goodHello: Hello = { maxFrameBytes: 65_536, streamWindowBytes: 65_536, connectionWindowBytes: 1_048_576, streams: 10 };

/** A frame with any header and payload. */
export function frame(type: number, id: number, payload: readonly number[], length: number = payload.length): Uint8Array {
  const out = new Uint8Array(frameHeaderBytes + payload.length);
  writeHeader(out, 0, type, length, id);
  out.set(payload, frameHeaderBytes);
  return out;
}

/** A TLS client without our session logic: it has a good certificate and no manners. */
export class RawPeer {
  readonly socket: TLSSocket;
  /** Names of the frames that came. */
  readonly frames: string[] = [];
  bytesReceived = 0;
  closed: { readonly code: number; readonly reason: string } | null = null;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader(this.#handler());
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Uint8Array) => void reader.push(bytes));
  }

  static async open(address: string, { certificate, privateKey, authorities }: TlsCredentials): Promise<RawPeer> {
    const { host, port } = parseAddress(address, { allowPortZero: false });
    const socket = connect({
      host,
      port,
      cert: certificate,
      key: privateKey,
      ca: authorities,
      servername: "node.octopii.internal",
      ALPNProtocols: ["octopii-tcp/1"],
    });
    const peer = new RawPeer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    return peer;
  }

  /** {@link open}, with the hellos of both sides. */
  static async greet(address: string, credentials: TlsCredentials, hello: Partial<Hello> = {}): Promise<RawPeer> {
    const peer = await RawPeer.open(address, credentials);
    peer.send(encodeHello({ ...goodHello, ...hello }));
    await until(() => peer.frames.includes("hello"));
    return peer;
  }

  send(...frames: readonly Uint8Array[]): void {
    for (const bytes of frames) this.socket.write(bytes);
  }

  /** Waits for the word that the connection is closed. */
  async close(): Promise<{ readonly code: number; readonly reason: string }> {
    await until(() => this.closed !== null);
    if (this.closed === null) throw new Error("not closed");
    return this.closed;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #handler(): FrameHandler {
    const note = (name: string) => () => {
      this.frames.push(name);
      return null;
    };
    return {
      isOver: false,
      hello: note("hello"),
      open: note("open"),
      dataBegins: note("data"),
      data: (_id, bytes) => {
        this.bytesReceived += bytes.length;
      },
      end: note("end"),
      reset: note("reset"),
      stop: note("stop"),
      streamLimit: note("streamLimit"),
      connectionLimit: note("connectionLimit"),
      streamCount: note("streamCount"),
      ping: note("ping"),
      pong: note("pong"),
      close: (code, reason) => {
        this.closed = { code, reason };
        return null;
      },
    };
  }
}
