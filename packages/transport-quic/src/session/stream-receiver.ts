import { type EngineConnection, engineNone } from "../ports.js";
import { ControlDecoder, type ControlMessage } from "../wire/control.js";
import { cutMark, decodePreamble, endMark, preambleBytesMax } from "../wire/preamble.js";
import type { QuicStream } from "./quic-stream.js";
import { ReceiveBuffer } from "./receive-buffer.js";
import type { StreamTable } from "./stream-table.js";

/** What the receiver asks of its connection. */
export interface ReceiverHost {
  /** Makes the object for a stream that the peer opens. */
  createIncoming(unidirectional: boolean): QuicStream;
  /** A stream's preamble is here: gives it to the owner, or refuses it. */
  deliver(stream: QuicStream): void;
  control(message: ControlMessage): void;
  /** What the control stream said of a stream before it came. */
  cutEarly(stream: QuicStream, stop: number | undefined, reset: number | undefined): void;
  /** The peer broke a rule; `problem` is the end of a sentence. */
  violate(problem: string): void;
  /** False once the connection closes: whoever iterates stops. */
  readonly takesStreams: boolean;
}

/** Up to this many streams are asked one by one whether they can be read; listing those that can costs the engine as much as this. */
const pollMax = 64;
/** Room for a preamble with the small message that often follows it. */
const firstReadBytes = 2 * 1024;

const noMark = "a stream ended without its mark";
const cutOutside = "a stream was cut short by other means than the control stream";
const nothing = new Uint8Array(0);

/** Shared by all connections: they hold bytes only within one call. */
const scratch = new Uint8Array(64 * 1024);
const firstRead = scratch.subarray(0, firstReadBytes);
const shared = new ReceiveBuffer();

/** Takes what the engine has received on a connection's streams to their owners. */
export class StreamReceiver {
  readonly #engine: EngineConnection;
  readonly #table: StreamTable;
  readonly #host: ReceiverHost;
  readonly #control = new ControlDecoder();

  constructor(engine: EngineConnection, table: StreamTable, host: ReceiverHost) {
    this.#engine = engine;
    this.#table = table;
    this.#host = host;
  }

  /** Handles the control stream alone. */
  processControl(): void {
    while (this.#engine.streamReadable(this.#table.controlIn)) {
      const length = this.#engine.streamReceive(this.#table.controlIn, scratch);
      if (length < 0 || this.#engine.finished) {
        this.#host.violate("the control stream was ended");
        return;
      }
      const problem = this.#control.push(scratch.subarray(0, length), (message) => this.#host.control(message));
      if (problem !== null) {
        this.#host.violate(problem);
        return;
      }
    }
  }

  /** Handles everything that can be read, and calls owners. */
  process(): void {
    if (!this.#engine.isReadable()) return;
    this.processControl();
    if (this.#table.size <= pollMax) this.#poll();
    // What is readable still is either left unread by its owner or a stream that overtook those before it.
    if (this.#host.takesStreams && this.#engine.isReadable()) this.#scan();
  }

  /** The next bytes of a stream, for its owner. */
  receive(stream: QuicStream): Uint8Array | null {
    if (stream.id < 0) return null;
    const length = this.#engine.streamReceive(stream.id, shared.room());
    if (!this.#engine.finished) {
      if (length > 0) return shared.take(length);
      if (length < engineNone) this.#host.violate(cutOutside);
      return null;
    }
    const mark = shared.room()[length - 1];
    if (mark === endMark) {
      const bytes = length > 1 ? shared.take(length - 1) : null;
      stream.receiveEnded();
      return bytes;
    }
    if (mark === cutMark) stream.receiveCut();
    else this.#host.violate(noMark);
    return null;
  }

  #poll(): void {
    for (const stream of this.#table.values()) {
      if (stream.engineReceiveOver || !this.#engine.streamReadable(stream.id)) continue;
      this.#readable(stream);
      if (!this.#host.takesStreams) return;
    }
    for (const unidirectional of [false, true]) {
      for (;;) {
        const id = this.#table.nextIncoming(unidirectional);
        if (!this.#engine.streamReadable(id)) break;
        this.#incoming(id);
        if (!this.#host.takesStreams) return;
      }
    }
    for (const id of this.#table.overtakenIncoming()) {
      if (this.#engine.streamReadable(id)) this.#incoming(id);
      if (!this.#host.takesStreams) return;
    }
  }

  #scan(): void {
    for (const id of this.#engine.readableStreams()) {
      const stream = this.#table.get(id);
      if (stream !== undefined) this.#readable(stream);
      else if (this.#table.isNew(id)) this.#incoming(id);
      if (!this.#host.takesStreams) return;
    }
  }

  #readable(stream: QuicStream): void {
    if (stream.discarding) this.#discard(stream);
    else if (stream.partialPreamble !== null) this.#readPreamble(stream);
    else stream.readableEvent();
  }

  /** Throws away what comes on a stream that nobody reads any more, so that the window stays open and the end is seen. */
  #discard(stream: QuicStream): void {
    for (;;) {
      const length = this.#engine.streamReceive(stream.id, scratch);
      if (length === engineNone) return;
      if (length < 0) {
        this.#host.violate(cutOutside);
        return;
      }
      if (this.#engine.finished) {
        stream.receiveCut();
        return;
      }
    }
  }

  #incoming(id: number): void {
    const stream = this.#host.createIncoming((id & 2) !== 0);
    if (!this.#table.admit(id, stream)) {
      this.#host.violate("the peer opened more streams than it was allowed");
      return;
    }
    stream.partialPreamble = nothing;
    const early = this.#table.takeEarlyCut(id);
    if (early !== undefined) this.#host.cutEarly(stream, early.stop, early.reset);
    this.#readable(stream);
  }

  #readPreamble(stream: QuicStream): void {
    const before = stream.partialPreamble ?? nothing;
    const length = this.#engine.streamReceive(stream.id, firstRead);
    if (length === engineNone) return;
    const { finished } = this.#engine;
    const mark = finished ? firstRead[length - 1] : undefined;
    if (length < 0 || (finished && mark !== endMark && mark !== cutMark)) {
      this.#host.violate(length < 0 ? cutOutside : noMark);
      return;
    }
    if (mark === cutMark) {
      // The opener gave up at once; its code is on the way, and the owner need not hear of the stream.
      stream.receiveCut();
      return;
    }
    const fresh = firstRead.subarray(0, finished ? length - 1 : length);
    const bytes = before.length === 0 ? fresh : concatenate(before, fresh);
    const result = decodePreamble(bytes.subarray(0, preambleBytesMax));
    if (result.kind === "invalid") this.#host.violate(result.problem);
    else if (result.kind === "complete") {
      stream.accept(result.protocol, bytes.length > result.length ? bytes.slice(result.length) : null, finished);
      this.#host.deliver(stream);
      if (stream.hasNews || this.#engine.streamReadable(stream.id)) stream.readableEvent();
    } else if (finished) this.#host.violate("a stream ended within its preamble");
    else stream.partialPreamble = bytes.slice();
  }
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const out = new Uint8Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
}
