import type { Outcome, Stream } from "@octopii/interfaces";
import { AbortWatch } from "./abort-watch.js";
import type { Endpoint } from "./endpoint.js";
import { decodeErrorBody } from "./error-body.js";
import { RpcError } from "./errors.js";
import type { FrameProblem } from "./frame-decoder.js";
import { type OutgoingFrame, PlainFrame } from "./frame-encoder.js";
import { cancelReasons, frameFlags, frameTypes, rpcStreamCodes } from "./frame-format.js";
import { FrameStream, type FrameStreamOwner } from "./frame-stream.js";
import type { OutboundCall, OutboundCallOwner } from "./outbound-call.js";
import { statusFromNumber } from "./status.js";

/** Hears from a {@link CallerStream}. */
export interface CallerStreamOwner {
  /** A call has settled, or everything queued has left, or the stream is gone. */
  onProgress(): void;
}

/** The stream on which a client calls: requests out, answers in. */
export class CallerStream implements FrameStreamOwner, OutboundCallOwner {
  readonly #endpoint: Endpoint;
  readonly #owner: CallerStreamOwner;
  readonly #peerName: string;
  readonly #link: FrameStream;
  readonly #pending = new Map<number, OutboundCall>();
  readonly #aborts = new AbortWatch();
  #lastId = 0;
  #everyIdUsed = false;
  #ended = false;

  constructor(endpoint: Endpoint, stream: Stream, peerName: string, owner: CallerStreamOwner) {
    this.#endpoint = endpoint;
    this.#owner = owner;
    this.#peerName = peerName;
    this.#link = new FrameStream(stream, endpoint, this, { readWhileBelowBytes: Number.POSITIVE_INFINITY });
  }

  /** Whether calls may start here. */
  get open(): boolean {
    return this.#link.open && !this.#ended;
  }

  get queuedBytes(): number {
    return this.#link.queuedBytes;
  }

  /** How many calls wait for their answer. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Whether no call waits and everything has left. */
  get idle(): boolean {
    return this.#pending.size === 0 && this.#link.idle;
  }

  hasRoom(bytes: number): boolean {
    return this.#link.hasRoom(bytes);
  }

  /** Sends a request; the call settles by itself. */
  start(call: OutboundCall): void {
    call.callId = this.#takeId();
    this.#pending.set(call.callId, call);
    this.#endpoint.counters.pendingCalls += 1;
    this.#endpoint.deadlines.add(call);
    if (call.signal !== undefined) this.#aborts.add(call.signal, call);
    this.#link.send(call);
  }

  /** Sends a frame that nobody answers. */
  send(frame: OutgoingFrame): void {
    this.#link.send(frame);
  }

  /** Gives up what is pending and ends the stream. */
  close(): void {
    this.#end("The client was closed before the answer came.");
  }

  /** The connection is gone. */
  abandon(reason: string): void {
    this.#link.abort(rpcStreamCodes.closed, reason);
  }

  onFrame(type: number, flags: number, extra: number, callId: number, bytes: Uint8Array, start: number, end: number): FrameProblem | null {
    const { counters } = this.#endpoint;
    if (!this.#link.open) return null;
    counters.framesReceived += 1;
    if (type !== frameTypes.response && type !== frameTypes.error) {
      counters.ignoredFrames += 1;
      return null;
    }
    const body = type === frameTypes.error ? decodeErrorBody(bytes, start, end) : null;
    if (type === frameTypes.error && body === null) {
      return { code: rpcStreamCodes.malformedFrame, reason: "An error frame ends within its message." };
    }
    const call = this.#pending.get(callId);
    if (call === undefined || call.unsent) {
      if (call === undefined && this.#wasGivenOut(callId)) counters.lateResponses += 1;
      else counters.ignoredFrames += 1;
      return null;
    }
    this.#forget(call);
    if (body === null) {
      counters.callsSucceeded += 1;
      // Not `subarray`, which would hand a Buffer on to callers, whose `slice` does not copy.
      call.resolve(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
    } else {
      counters.callsFailed += 1;
      const outcome = (flags & frameFlags.notExecuted) !== 0 ? "failed" : "unknown";
      const details = body.details === undefined ? {} : { details: body.details };
      call.reject(new RpcError(statusFromNumber(extra), body.message, { outcome, method: call.method, ...details }));
    }
    this.#owner.onProgress();
    return null;
  }

  onPeerEnded(): void {
    this.#end("The peer has closed.");
    this.#owner.onProgress();
  }

  onFlushed(): void {
    this.#owner.onProgress();
  }

  onLost(reason: string): void {
    for (const call of [...this.#pending.values()]) {
      this.#forget(call);
      this.#endpoint.counters.callsFailed += 1;
      call.reject(this.#unavailable(call, reason, call.unsent ? "failed" : "unknown"));
    }
    this.#owner.onProgress();
  }

  onAborted(call: OutboundCall): void {
    this.#cancel(call, cancelReasons.caller);
    this.#endpoint.counters.callsCancelled += 1;
    call.reject(call.signal?.reason);
    this.#owner.onProgress();
  }

  onExpired(call: OutboundCall): void {
    const outcome = this.#cancel(call, cancelReasons.deadline);
    this.#endpoint.counters.callsTimedOut += 1;
    // What is left of a caller's deadline is rarely a whole number.
    const withinMs = Math.ceil(call.timeoutMs);
    const message =
      outcome === "failed"
        ? `The call of "${call.method}" could not be sent to ${this.#peerName} within ${withinMs} ms; the peer does not keep up.`
        : `${this.#peerName} did not answer "${call.method}" within ${withinMs} ms; repeat the call only if that does no harm.`;
    call.reject(new RpcError("DEADLINE_EXCEEDED", message, { outcome, method: call.method }));
    this.#owner.onProgress();
  }

  /** Stops waiting for a call, and tells the peer if it will hear of it. @returns what became of it. */
  #cancel(call: OutboundCall, why: number): Outcome {
    this.#forget(call);
    if (this.#link.drop(call)) return "failed";
    this.#link.send(new PlainFrame({ frameType: frameTypes.cancel, extra: why, callId: call.callId }));
    return "unknown";
  }

  #end(reason: string): void {
    this.#ended = true;
    for (const call of [...this.#pending.values()]) {
      const outcome = this.#cancel(call, cancelReasons.closed);
      this.#endpoint.counters.callsFailed += 1;
      call.reject(this.#unavailable(call, reason, outcome));
    }
    this.#link.end();
  }

  #forget(call: OutboundCall): void {
    this.#pending.delete(call.callId);
    this.#endpoint.counters.pendingCalls -= 1;
    this.#endpoint.deadlines.remove(call);
    if (call.signal !== undefined) this.#aborts.remove(call.signal, call);
  }

  #unavailable(call: OutboundCall, reason: string, outcome: Outcome): RpcError {
    const advice = outcome === "failed" ? "It was not sent: connect again and repeat it." : "Repeat it only if that does no harm.";
    const message = `The call of "${call.method}" to ${this.#peerName} has no answer. ${reason} ${advice}`;
    return new RpcError("UNAVAILABLE", message, { outcome, method: call.method });
  }

  /** The next id that no pending call has. They are used in turn, so one comes back only after all others. */
  #takeId(): number {
    do {
      this.#lastId += 1;
      if (this.#lastId > 0xffff_ffff) {
        this.#lastId = 1;
        this.#everyIdUsed = true;
      }
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #wasGivenOut(callId: number): boolean {
    return callId !== 0 && (this.#everyIdUsed || callId <= this.#lastId);
  }
}
