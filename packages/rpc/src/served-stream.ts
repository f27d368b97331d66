import type { Connection, Stream } from "@octopii/interfaces";
import type { Endpoint } from "./endpoint.js";
import { encodeErrorBody } from "./error-body.js";
import { isRpcError, RpcError } from "./errors.js";
import type { FrameProblem } from "./frame-decoder.js";
import { PlainFrame, prefixSize } from "./frame-encoder.js";
import { cancelReasons, frameFlags, frameTypes, rpcStreamCodes } from "./frame-format.js";
import { FrameStream, type FrameStreamOwner } from "./frame-stream.js";
import { InboundCall, type InboundCallOwner } from "./inbound-call.js";
import { decodeRequestBody, type RequestBody } from "./request-body.js";
import type { RpcRouter } from "./router.js";
import { type RpcStatus, rpcStatusNumbers } from "./status.js";

/** What the handlers of one connection hold together, however many streams it opened. */
export interface ConnectionLoad {
  calls: number;
  bytes: number;
  streams: number;
}

/** What a {@link ServedStream} belongs to. */
export interface ServedStreamOwner {
  readonly endpoint: Endpoint;
  readonly router: RpcRouter;
  /** Whether new requests are refused. */
  readonly closing: boolean;
  /** The stream is gone. */
  forget(stream: ServedStream): void;
  /** A handler has settled, or an answer has left. */
  onProgress(): void;
}

/** A refusal: the handler has not run and will not. */
interface Refusal {
  readonly status: RpcStatus;
  readonly message: string;
}

/** One stream that a peer opened to call us: requests in, answers out, each handler on its own. */
export class ServedStream implements FrameStreamOwner, InboundCallOwner {
  readonly endpoint: Endpoint;
  readonly connection: Connection;
  readonly #server: ServedStreamOwner;
  readonly #router: RpcRouter;
  readonly #load: ConnectionLoad;
  readonly #link: FrameStream;
  /** Requests whose handler runs, those that are over included: an id is free again only when its handler has settled. */
  readonly #requests = new Map<number, InboundCall>();
  readonly #oneWays = new Set<InboundCall>();
  #peerEnded = false;

  constructor(server: ServedStreamOwner, stream: Stream, connection: Connection, load: ConnectionLoad) {
    this.#server = server;
    this.endpoint = server.endpoint;
    this.connection = connection;
    this.#router = server.router;
    this.#load = load;
    this.#load.streams += 1;
    this.#link = new FrameStream(stream, server.endpoint, this, { readWhileBelowBytes: server.endpoint.config.maxQueuedBytes / 4 });
  }

  /** Reads what came before the stream was handed over. */
  start(): void {
    this.#link.read();
  }

  /** Whether no handler runs and everything answered has left. */
  get idle(): boolean {
    return this.#requests.size === 0 && this.#oneWays.size === 0 && this.#link.idle;
  }

  onFrame(type: number, flags: number, extra: number, callId: number, bytes: Uint8Array, start: number, end: number): FrameProblem | null {
    const { counters } = this.endpoint;
    if (!this.#link.open) return null;
    counters.framesReceived += 1;
    if (type === frameTypes.cancel) this.#onCancel(callId, extra);
    else if (type !== frameTypes.request && type !== frameTypes.oneWay) counters.ignoredFrames += 1;
    else {
      const body = decodeRequestBody(type, flags, extra, bytes, start, end);
      if (typeof body === "string") return { code: rpcStreamCodes.malformedFrame, reason: body };
      if ((type === frameTypes.oneWay) !== (callId === 0)) {
        return { code: rpcStreamCodes.malformedFrame, reason: `A frame of type ${type} has call id ${callId}.` };
      }
      if (type === frameTypes.oneWay) this.#onOneWay(body, flags);
      else this.#onRequest(callId, body, flags);
    }
    return null;
  }

  onPeerEnded(): void {
    this.#peerEnded = true;
    this.#endIfDone();
  }

  onFlushed(): void {
    this.#endIfDone();
    this.#server.onProgress();
  }

  onLost(reason: string): void {
    this.#load.streams -= 1;
    const error = new RpcError("CANCELLED", `Nobody waits for the call any more. ${reason}`);
    this.#abortAll(error);
    this.#server.forget(this);
  }

  onResult(call: InboundCall, result: Uint8Array): void {
    if (call.over) {
      this.endpoint.counters.lateResults += call.oneWay ? 0 : 1;
    } else if (!call.oneWay) {
      call.payload = result;
      const problem = this.#checkAnswer(call);
      if (problem !== null) this.#answerError(call, problem);
      else this.#link.send(call);
    }
    this.#release(call);
  }

  onFailure(call: InboundCall, error: unknown): void {
    const { counters, logger } = this.endpoint;
    const expected = isRpcError(error);
    // A handler that stops because its signal aborted has done what it should.
    if ((call.oneWay || !expected) && !call.over) {
      counters.handlersFailed += 1;
      const fields = { err: error, method: call.method, peer: this.connection.peer.name };
      logger?.error(fields, call.oneWay ? "The handler of a one-way message failed." : "A handler failed; its caller got INTERNAL.");
    }
    if (call.over) counters.lateResults += call.oneWay ? 0 : 1;
    else if (!call.oneWay) {
      const internal = `The handler of "${call.method}" failed; the log of the node that ran it says why.`;
      this.#answerError(call, expected ? error : new RpcError("INTERNAL", internal));
    }
    this.#release(call);
  }

  onExpired(call: InboundCall): void {
    const error = new RpcError("DEADLINE_EXCEEDED", `The time for "${call.method}" passed while its handler ran.`);
    if (!call.oneWay) {
      this.endpoint.counters.requestsTimedOut += 1;
      this.#answerError(call, error);
    }
    call.abort(error);
  }

  /** Ends the stream. Handlers that still run are aborted, and their callers told. */
  close(): void {
    const error = new RpcError("UNAVAILABLE", "This side closed while the handler ran.");
    for (const call of this.#requests.values()) if (!call.over) this.#answerError(call, error);
    this.#abortAll(error);
    this.#link.flush();
    if (this.#link.idle) this.#link.finish();
    else this.#link.abort(rpcStreamCodes.closed, "This side closed, and the peer did not take what was left.");
  }

  #onRequest(callId: number, body: RequestBody, flags: number): void {
    const { counters, clock, config } = this.endpoint;
    if (this.#requests.has(callId)) {
      counters.ignoredFrames += 1;
      return;
    }
    counters.requestsReceived += 1;
    const handler = this.#router.find(body.method);
    const refusal = this.#findRefusal(body, flags, handler !== undefined, body.budgetMs);
    if (refusal !== null || handler === undefined) {
      counters.requestsRefused += 1;
      if (refusal !== null) this.#refuse(callId, refusal);
      return;
    }
    const call = new InboundCall(this, false, callId, body, clock.now() + Math.min(body.budgetMs, config.maxTimeoutMs));
    this.#requests.set(callId, call);
    this.#begin(call);
    call.run(handler, body.payload);
  }

  #onOneWay(body: RequestBody, flags: number): void {
    const { counters, clock, config, logger } = this.endpoint;
    counters.oneWayReceived += 1;
    const handler = this.#router.findOneWay(body.method);
    const refusal = this.#findRefusal(body, flags, handler !== undefined, config.defaultTimeoutMs);
    if (refusal !== null || handler === undefined) {
      counters.oneWayDropped += 1;
      logger?.debug({ method: body.method, peer: this.connection.peer.name, why: refusal?.message }, "A one-way message was dropped.");
      return;
    }
    const call = new InboundCall(this, true, 0, body, clock.now() + config.defaultTimeoutMs);
    this.#oneWays.add(call);
    this.#begin(call);
    call.run(handler, body.payload);
  }

  #onCancel(callId: number, why: number): void {
    const call = this.#requests.get(callId);
    // A cancellation that crosses the answer is nothing unusual.
    if (call === undefined || call.over) return;
    this.endpoint.counters.requestsCancelled += 1;
    this.endpoint.deadlines.remove(call);
    const late = why === cancelReasons.deadline;
    call.abort(
      late
        ? new RpcError("DEADLINE_EXCEEDED", `The caller of "${call.method}" ran out of time.`)
        : new RpcError("CANCELLED", `The caller of "${call.method}" cancelled.`),
    );
  }

  #findRefusal(body: RequestBody, flags: number, known: boolean, budgetMs: number): Refusal | null {
    const { config, counters } = this.endpoint;
    const load = this.#load;
    if ((flags & ~frameFlags.metadata) !== 0) {
      return { status: "UNIMPLEMENTED", message: "The request uses a feature that this version does not know; upgrade it." };
    }
    if (this.#server.closing) return { status: "UNAVAILABLE", message: "This side is closing; call another node, or later." };
    if (!known) return { status: "UNIMPLEMENTED", message: `There is no handler for "${body.method}".` };
    if (budgetMs === 0) return { status: "DEADLINE_EXCEEDED", message: `The time for "${body.method}" passed before its handler ran.` };
    if (load.calls >= config.maxInboundCalls) return overLimit("maxInboundCalls", config.maxInboundCalls);
    if (load.bytes + body.payload.length > config.maxInboundBytes) return overLimit("maxInboundBytes", config.maxInboundBytes);
    if (counters.runningHandlers >= config.maxHandlers) return overLimit("maxHandlers", config.maxHandlers);
    if (body.metadataBytes <= config.maxMetadataBytes) return null;
    return { status: "RESOURCE_EXHAUSTED", message: `The metadata is over maxMetadataBytes, which is ${config.maxMetadataBytes} here.` };
  }

  #begin(call: InboundCall): void {
    this.#load.calls += 1;
    this.#load.bytes += call.heldBytes;
    this.endpoint.counters.runningHandlers += 1;
    this.endpoint.deadlines.add(call);
  }

  /** The handler has settled and its answer is queued: its slot is free, and who waits for the end may look. */
  #release(call: InboundCall): void {
    this.#load.calls -= 1;
    this.#load.bytes -= call.heldBytes;
    this.endpoint.counters.runningHandlers -= 1;
    this.endpoint.deadlines.remove(call);
    if (call.oneWay) this.#oneWays.delete(call);
    else this.#requests.delete(call.callId);
    this.#endIfDone();
    this.#server.onProgress();
  }

  #checkAnswer(call: InboundCall): RpcError | null {
    const bytes = prefixSize(call) + call.payload.length;
    const { maxFrameBytes, maxQueuedBytes } = this.endpoint.config;
    if (bytes > maxFrameBytes) {
      return new RpcError("RESOURCE_EXHAUSTED", `The answer of "${call.method}" is over maxFrameBytes, which is ${maxFrameBytes}.`);
    }
    if (this.#link.hasRoom(bytes)) return null;
    return new RpcError("RESOURCE_EXHAUSTED", `Answers over maxQueuedBytes, which is ${maxQueuedBytes}, wait for the caller to read them.`);
  }

  #answerError(call: InboundCall, error: RpcError): void {
    // An error that came out of a call which the handler made says nothing about what the handler itself did.
    const notExecuted = error.outcome === "failed" && error.method === null;
    call.frameType = frameTypes.error;
    call.flags = notExecuted ? frameFlags.notExecuted : 0;
    call.extra = rpcStatusNumbers[error.status] ?? rpcStatusNumbers.UNKNOWN;
    call.payload = this.#encodeError(error.message, error.details);
    this.#link.send(call);
  }

  #refuse(callId: number, refusal: Refusal): void {
    const payload = this.#encodeError(refusal.message, undefined);
    const extra = rpcStatusNumbers[refusal.status];
    this.#link.send(new PlainFrame({ frameType: frameTypes.error, flags: frameFlags.notExecuted, extra, callId, payload }));
  }

  #encodeError(message: string, details: RpcError["details"]): Uint8Array {
    return encodeErrorBody({ message, details }, (reason) => {
      this.endpoint.logger?.warn({ err: reason }, "The details of an RpcError were left out of an answer.");
    });
  }

  #abortAll(error: RpcError): void {
    for (const call of [...this.#requests.values(), ...this.#oneWays]) {
      this.endpoint.deadlines.remove(call);
      if (!call.over) call.abort(error);
    }
  }

  /** The peer has said all, and so have we. */
  #endIfDone(): void {
    if (this.#peerEnded && this.#requests.size === 0 && this.#oneWays.size === 0) this.#link.end();
  }
}

function overLimit(name: string, limit: number): Refusal {
  return { status: "RESOURCE_EXHAUSTED", message: `This side has reached ${name}, which is ${limit}; try again later.` };
}
