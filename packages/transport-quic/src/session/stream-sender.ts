import type { EngineConnection } from "../ports.js";
import { controlVersion, encodeControl } from "../wire/control.js";
import type { QuicStream } from "./quic-stream.js";
import { SendQueue } from "./send-queue.js";
import type { StreamTable } from "./stream-table.js";

/** What one stream may hand over before the next one has its turn, and what small pieces are gathered in. */
const quantumBytes = 64 * 1024;

/** Shared by all connections: it holds bytes only within one call. */
const scratch = new Uint8Array(quantumBytes);

/**
 * What may wait on the control stream: more than the cuts of all streams that can be open at one time with the default limits. A peer that
 * does not read it would otherwise have us keep a message for each stream that it opens in vain.
 */
const controlBytesMax = 1024 * 1024;

/** A direction that its owner gave up, for the next flush. */
interface Cut {
  readonly stream: QuicStream;
  readonly direction: "send" | "receive";
  readonly code: number;
}

/** Hands the bytes of a connection's streams to the engine, in turns, as its congestion and flow control allow. */
export class StreamSender {
  readonly #engine: EngineConnection;
  readonly #table: StreamTable;
  readonly #sendBufferBytes: number;
  readonly #violate: (problem: string) => void;
  readonly #control = new SendQueue();
  /** Streams to try, the next one first; and those for which the engine had no room. */
  readonly #ready = new Set<QuicStream>();
  readonly #blocked = new Set<QuicStream>();
  #controlOpen = false;
  #cuts: Cut[] = [];
  #drained: QuicStream[] = [];

  /** @param violate - called with what the peer does wrong, as the end of a sentence. */
  constructor(engine: EngineConnection, table: StreamTable, sendBufferBytes: number, violate: (problem: string) => void) {
    this.#engine = engine;
    this.#violate = violate;
    this.#table = table;
    this.#sendBufferBytes = sendBufferBytes;
  }

  /** Starts our control stream, which says that the peer was accepted and how many streams it may open. */
  openControl(): void {
    this.#controlOpen = true;
    this.#control.push(Uint8Array.of(controlVersion));
  }

  #announceCredit(): void {
    if (!this.#controlOpen) return;
    const credit = this.#table.nextCredit();
    if (credit !== null) this.#control.push(encodeControl(credit));
  }

  sendable(stream: QuicStream): void {
    if (stream.id >= 0 && !this.#blocked.has(stream)) this.#ready.add(stream);
  }

  cut(stream: QuicStream, direction: "send" | "receive", code: number): void {
    this.#cuts.push({ stream, direction, code });
  }

  /** The engine may have room again. */
  unblock(): void {
    if (this.#blocked.size === 0) return;
    for (const stream of this.#blocked) this.#ready.add(stream);
    this.#blocked.clear();
  }

  /** Gives the engine what it takes. Calls no owner; {@link takeDrained} says who has room again. */
  flush(): void {
    this.#announceCredit();
    this.#flushControl();
    this.#flushCuts();
    this.#table.openWaiting((stream) => this.#open(stream));
    this.#flushCuts();
    this.#flushControl();
    for (const stream of this.#ready) {
      this.#ready.delete(stream);
      if (this.#flushStream(stream)) continue;
      this.#blocked.add(stream);
      // The control stream has its own room always, so that what it may send is what the connection may send.
      if (this.#engine.streamCapacity(this.#table.controlOut) === 0) break;
    }
  }

  /** The streams whose queues went below half their limit after `write` had given false. */
  takeDrained(): QuicStream[] {
    if (this.#drained.length === 0) return this.#drained;
    const drained = this.#drained;
    this.#drained = [];
    return drained;
  }

  /** A stream of ours got its id. The engine hears of it at once, room or not, so that what follows finds it there. */
  #open(stream: QuicStream): void {
    if (!this.#flushStream(stream)) this.#blocked.add(stream);
  }

  /** One stream's share; false if the engine had no room for it. */
  #flushStream(stream: QuicStream): boolean {
    const { queue } = stream;
    if (stream.engineSendOver || queue.bytes === 0) return true;
    const bytes = queue.peek(scratch);
    const last = stream.sendsLast && bytes.length === queue.bytes;
    const taken = this.#engine.streamSend(stream.id, bytes, last);
    if (taken < 0) {
      this.#violate("the peer stopped a stream outside the control stream");
      return true;
    }
    const room = taken === bytes.length;
    queue.consume(taken);
    if (stream.wantsDrain && queue.bytes <= this.#sendBufferBytes / 2) this.#drain(stream);
    if (room && last) stream.sendFlushed();
    else if (room && queue.bytes > 0) this.#ready.add(stream);
    return room;
  }

  /** The peer gave up reading a stream: nothing more is sent on it but its mark. */
  stopStream(stream: QuicStream, code: number): void {
    stream.sendStopped(code);
    if (stream.wantsDrain) this.#drain(stream);
  }

  #drain(stream: QuicStream): void {
    stream.wantsDrain = false;
    this.#drained.push(stream);
  }

  /** A stream without an id is unknown to the peer: a reset takes it out of the line, a stop waits with it. */
  #flushCuts(): void {
    if (this.#cuts.length === 0) return;
    const cuts = this.#cuts;
    this.#cuts = [];
    for (const cut of cuts) {
      const { stream, direction, code } = cut;
      if (stream.id >= 0) {
        const type = direction === "send" ? "reset" : "stop";
        if (direction === "send" || !stream.engineReceiveOver) this.#control.push(encodeControl({ type, streamId: stream.id, code }));
      } else if (direction === "receive") this.#cuts.push(cut);
      else if (this.#table.dequeue(stream)) stream.neverOpened(code);
    }
    this.#cuts = this.#cuts.filter(({ stream }) => !stream.engineSendOver);
  }

  #flushControl(): void {
    const queue = this.#control;
    while (queue.bytes > 0) {
      const bytes = queue.peek(scratch);
      const taken = Math.max(0, this.#engine.streamSend(this.#table.controlOut, bytes, false));
      queue.consume(taken);
      if (taken < bytes.length) break;
    }
    if (queue.bytes > controlBytesMax) this.#violate("the peer does not read the control stream");
  }
}
