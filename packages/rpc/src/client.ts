import type { Connection, ConnectionClose, PeerIdentity } from "@octopii/interfaces";
import { CallerStream } from "./caller-stream.js";
import { Drain } from "./drain.js";
import type { Endpoint } from "./endpoint.js";
import { isRpcError, RpcError } from "./errors.js";
import { PlainFrame } from "./frame-encoder.js";
import { budgetBytes, frameTypes, headerBytes, noBytes, rpcProtocol } from "./frame-format.js";
import { encodeMetadata, type RpcMetadata } from "./metadata.js";
import { type Method, methodNameBytes, type OneWayMethod } from "./method.js";
import { OutboundCall } from "./outbound-call.js";
import type { RpcStatus } from "./status.js";

/** Options of {@link RpcClient.call}. */
export interface CallOptions {
  /** Ends the wait: the promise rejects with the signal's reason, and the handler's own signal aborts. */
  readonly signal?: AbortSignal;
  /**
   * How long to wait, up to `maxTimeoutMs`. It travels as what is left when the request leaves. Default: `defaultTimeoutMs`.
   * Zero or less has the call fail at once, so that a handler may pass on its own `remainingMs()`.
   */
  readonly timeoutMs?: number;
  /** Small facts for the handler's context. */
  readonly metadata?: RpcMetadata;
}

/** Options of {@link RpcClient.notify}. */
export interface NotifyOptions {
  readonly metadata?: RpcMetadata;
}

/** Options of `close`, of a client and of an endpoint. */
export interface CloseOptions {
  /** How long to wait for what is going on. Default: `closeTimeoutMs`. */
  readonly timeoutMs?: number;
}

/**
 * Calls one peer. Keep one per connection: all calls share one stream and one write per turn. If the stream is lost while the
 * connection lives, the next call opens another.
 */
export interface RpcClient {
  readonly connection: Connection;
  readonly peer: PeerIdentity;
  /**
   * Calls a method and waits for its answer.
   * @param payload - belongs to the client from now on: do not change it.
   * @returns the answer. Raw bytes may be a view of a larger buffer: copy what is kept for long.
   * @throws {RpcError} with any status. Of this side's own: `UNAVAILABLE` (closed, or the connection was lost), `DEADLINE_EXCEEDED`,
   * `RESOURCE_EXHAUSTED` (a limit), `INVALID_ARGUMENT` (the request cannot be encoded), `INTERNAL` (the answer cannot be decoded).
   * @throws the reason of `signal`, if it aborts.
   * @throws {RangeError} if the method name, the metadata or the timeout is out of range.
   */
  call(method: string, payload: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  call<Request, Response>(method: Method<Request, Response>, request: Request, options?: CallOptions): Promise<Response>;
  /**
   * Sends a message that nobody answers.
   * @returns false if it was not taken and will never be sent: the client is closed, or too much waits already. True says only that
   * it was taken; it is lost if the connection is lost, or if the peer has no handler for it or too much to do.
   * @throws {RpcError} `RESOURCE_EXHAUSTED` if it is over `maxFrameBytes`, `INVALID_ARGUMENT` if it cannot be encoded.
   * @throws {RangeError} if the method name or the metadata is out of range.
   */
  notify(method: string, payload: Uint8Array, options?: NotifyOptions): boolean;
  notify<Message>(method: OneWayMethod<Message>, message: Message, options?: NotifyOptions): boolean;
  /** Called once after something was refused because too much waited, when there is room for the largest frame again. Must not throw. */
  onDrain: (() => void) | null;
  /** Refuses new calls, waits for those that are pending, then ends the stream. Repeating the call waits for the same end. */
  close(options?: CloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The only implementation of {@link RpcClient}. */
export class ConnectionClient implements RpcClient {
  readonly connection: Connection;
  onDrain: (() => void) | null = null;
  readonly #endpoint: Endpoint;
  readonly #onClosed: (client: ConnectionClient) => void;
  #stream: CallerStream | null = null;
  #gone: string | null = null;
  #drain: Drain | null = null;
  #refusedForRoom = false;

  constructor(endpoint: Endpoint, connection: Connection, onClosed: (client: ConnectionClient) => void) {
    this.#endpoint = endpoint;
    this.connection = connection;
    this.#onClosed = onClosed;
    // `closed` never rejects.
    void connection.closed.then((close) => this.#onConnectionClosed(close));
  }

  get peer(): PeerIdentity {
    return this.connection.peer;
  }

  call(method: string, payload: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  call<Request, Response>(method: Method<Request, Response>, request: Request, options?: CallOptions): Promise<Response>;
  call<Request, Response>(
    method: string | Method<Request, Response>,
    request: Uint8Array | Request,
    options: CallOptions = {},
  ): Promise<Uint8Array | Response> {
    try {
      if (typeof method === "string") return this.#start(method, request as Uint8Array, options).answer;
      const payload = encodeArgument(() => method.request.encode(request as Request), method.name);
      return this.#start(method.name, payload, options).answer.then((answer) => decodeAnswer(method, answer));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  notify(method: string, payload: Uint8Array, options?: NotifyOptions): boolean;
  notify<Message>(method: OneWayMethod<Message>, message: Message, options?: NotifyOptions): boolean;
  notify<Message>(method: string | OneWayMethod<Message>, message: Uint8Array | Message, options: NotifyOptions = {}): boolean {
    const name = typeof method === "string" ? method : method.name;
    const payload =
      typeof method === "string" ? (message as Uint8Array) : encodeArgument(() => method.message.encode(message as Message), name);
    const methodBytes = methodNameBytes(name);
    const metadataBytes = this.#encodeMetadata(options.metadata);
    const size = this.#checkSize(name, methodBytes.length + metadataBytes.length + payload.length);
    const { counters } = this.#endpoint;
    const stream = this.#findStream();
    if (stream instanceof Error || !this.#hasRoom(stream, size)) {
      counters.oneWayRefused += 1;
      return false;
    }
    counters.oneWaySent += 1;
    stream.send(new PlainFrame({ frameType: frameTypes.oneWay, methodBytes, metadataBytes, payload }));
    return true;
  }

  async close(options: CloseOptions = {}): Promise<void> {
    await this.closeBy(closeDeadline(this.#endpoint, options));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** As {@link close}, with the deadline on the endpoint's clock. */
  closeBy(deadline: number): Promise<void> {
    this.#drain ??= new Drain(
      this.#endpoint,
      deadline,
      () => this.#stream === null || !this.#stream.open || this.#stream.idle,
      () => {
        this.#stream?.close();
        this.#onClosed(this);
      },
    );
    return this.#drain.finished;
  }

  onProgress(): void {
    this.#drain?.check();
    const { maxFrameBytes, maxQueuedBytes } = this.#endpoint.config;
    const queuedBytes = this.#stream?.queuedBytes ?? 0;
    if (!this.#refusedForRoom || queuedBytes + maxFrameBytes > maxQueuedBytes) return;
    this.#refusedForRoom = false;
    this.onDrain?.();
  }

  /** Sends a request. @throws what the call rejects with, if it is refused. */
  #start(method: string, payload: Uint8Array, options: CallOptions): OutboundCall {
    const { config, counters, clock } = this.#endpoint;
    const { signal, timeoutMs = config.defaultTimeoutMs } = options;
    counters.callsStarted += 1;
    if (signal?.aborted) {
      counters.callsCancelled += 1;
      throw signal.reason;
    }
    try {
      if (!(timeoutMs <= config.maxTimeoutMs)) {
        throw new RangeError(`timeoutMs must be a number up to maxTimeoutMs, which is ${config.maxTimeoutMs}, not ${String(timeoutMs)}.`);
      }
      const methodBytes = methodNameBytes(method);
      const metadataBytes = this.#encodeMetadata(options.metadata);
      const size = this.#checkSize(method, budgetBytes + methodBytes.length + metadataBytes.length + payload.length);
      if (timeoutMs <= 0) throw refused(method, "DEADLINE_EXCEEDED", `There was no time left to call "${method}".`);
      const stream = this.#admit(method, size);
      const deadline = clock.now() + timeoutMs;
      const call = new OutboundCall({ method, methodBytes, metadataBytes, payload, timeoutMs, deadline, signal }, stream);
      stream.start(call);
      return call;
    } catch (error) {
      counters.callsRefused += 1;
      throw error;
    }
  }

  /** The stream for one more call. @throws {RpcError} if there is none, or a limit is reached. */
  #admit(method: string, size: number): CallerStream {
    const { maxOutboundCalls, maxQueuedBytes } = this.#endpoint.config;
    const stream = this.#findStream();
    if (stream instanceof Error) {
      throw refused(method, "UNAVAILABLE", `"${method}" was not called on ${this.peer.name}. ${stream.message}`, stream);
    }
    if (stream.pending >= maxOutboundCalls) {
      const message = `"${method}" was not called: ${stream.pending} calls to ${this.peer.name} wait, and maxOutboundCalls is ${maxOutboundCalls}.`;
      throw refused(method, "RESOURCE_EXHAUSTED", message);
    }
    if (this.#hasRoom(stream, size)) return stream;
    const message = `"${method}" was not called: ${this.peer.name} takes no more now, and maxQueuedBytes, which is ${maxQueuedBytes}, wait.`;
    throw refused(method, "RESOURCE_EXHAUSTED", message);
  }

  /** The stream in use, or a new one, or why there is none. */
  #findStream(): CallerStream | Error {
    if (this.#drain !== null) return new Error("The client is closed; make another.");
    if (this.#gone !== null) return new Error(this.#gone);
    if (this.#stream?.open) return this.#stream;
    try {
      this.#stream = new CallerStream(this.#endpoint, this.connection.openStream(rpcProtocol), this.peer.name, this);
      return this.#stream;
    } catch (cause) {
      return new Error("The connection does not open a stream; connect again.", { cause });
    }
  }

  #hasRoom(stream: CallerStream, size: number): boolean {
    // Making room may find out that the stream is lost; what is sent then would vanish.
    const room = stream.hasRoom(size) && stream.open;
    if (!room) this.#refusedForRoom = true;
    return room;
  }

  #encodeMetadata(metadata: RpcMetadata | undefined): Uint8Array {
    return metadata === undefined ? noBytes : encodeMetadata(metadata, this.#endpoint.config.maxMetadataBytes);
  }

  /** @returns the frame's size. @throws {RpcError} if it is over the limit. */
  #checkSize(method: string, bodyBytes: number): number {
    const { maxFrameBytes } = this.#endpoint.config;
    const size = headerBytes + bodyBytes;
    if (size <= maxFrameBytes) return size;
    const message = `The request for "${method}" takes ${size} bytes, and maxFrameBytes is ${maxFrameBytes}; send it as a bulk transfer.`;
    throw refused(method, "RESOURCE_EXHAUSTED", message);
  }

  #onConnectionClosed(close: ConnectionClose): void {
    const why = close.reason === "" ? "" : ` (${close.reason})`;
    this.#gone = `The connection was closed by ${close.by}${why}; connect again.`;
    this.#stream?.abandon(this.#gone);
    this.#onClosed(this);
  }
}

/** When a `close` gives up waiting, on the endpoint's clock. @throws {RangeError} if the timeout is out of range. */
export function closeDeadline(endpoint: Endpoint, options: CloseOptions): number {
  const { timeoutMs = endpoint.config.closeTimeoutMs } = options;
  if (!(timeoutMs >= 0 && timeoutMs <= 2_147_483_647)) {
    throw new RangeError(`The timeoutMs of close must be a number from 0 to 2147483647, not ${String(timeoutMs)}.`);
  }
  return endpoint.clock.now() + timeoutMs;
}

/** The error of a call that never left. */
function refused(method: string, status: RpcStatus, message: string, cause?: unknown): RpcError {
  return new RpcError(status, message, { outcome: "failed", method, cause });
}

function encodeArgument(encode: () => Uint8Array, method: string): Uint8Array {
  try {
    return encode();
  } catch (cause) {
    throw refused(method, "INVALID_ARGUMENT", `What was given to "${method}" could not be encoded.`, cause);
  }
}

function decodeAnswer<Request, Response>(method: Method<Request, Response>, answer: Uint8Array): Response {
  try {
    return method.response.decode(answer);
  } catch (cause) {
    const why = isRpcError(cause) ? ` ${cause.message}` : "";
    throw new RpcError("INTERNAL", `The answer of "${method.name}" could not be decoded.${why}`, { method: method.name, cause });
  }
}
