import type { OpenStreamOptions, Scheduler, Stream } from "@octopii/interfaces";
import { quicCodes } from "../codes.js";
import { QuicTransportError } from "../errors.js";
import type { QuicTransportConfig } from "../options.js";
import type { EngineConnection } from "../ports.js";
import type { ControlMessage } from "../wire/control.js";
import { QuicStream, type StreamHost } from "./quic-stream.js";
import { type ReceiverHost, StreamReceiver } from "./stream-receiver.js";
import { StreamSender } from "./stream-sender.js";
import { StreamTable } from "./stream-table.js";

/** What the streams need from their connection. */
export interface StreamsHost {
  readonly config: QuicTransportConfig;
  readonly scheduler: Scheduler;
  /** Whom new streams are given to. */
  readonly onStream: ((stream: Stream) => void) | null;
  /** Both sides have accepted each other, and the connection is not closing. */
  readonly takesStreams: boolean;
  readonly isClosing: boolean;
  /** There is something to do in this turn or the next. */
  wake(): void;
  /** The peer broke a rule; `problem` is the end of a sentence. */
  violate(problem: string): void;
}

/** Rounds of "give the engine bytes, call those who have room again" in one turn. More go on in the next. */
const roundsMax = 8;

/** The streams of one connection: between the engine, which carries their bytes, and their owners, who are called from here. */
export class ConnectionStreams implements StreamHost, ReceiverHost {
  readonly #host: StreamsHost;
  readonly #table: StreamTable;
  readonly #sender: StreamSender;
  readonly #receiver: StreamReceiver;
  #finished: QuicStream[] = [];
  #rechecks: QuicStream[] = [];
  #open = 0;
  #isConfirmed = false;

  constructor(engine: EngineConnection, accepted: boolean, host: StreamsHost) {
    this.#host = host;
    const { maxIncomingStreams, sendBufferBytes } = host.config;
    this.#table = new StreamTable(accepted, maxIncomingStreams);
    this.#sender = new StreamSender(engine, this.#table, sendBufferBytes, (problem) => host.violate(problem));
    this.#receiver = new StreamReceiver(engine, this.#table, this);
  }

  // What the connection uses.

  /** Streams that are open now. */
  get openCount(): number {
    return this.#open;
  }

  /** The peer has said its first word on its control stream: it accepts us. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Says that we accept the peer. */
  openControl(): void {
    this.#sender.openControl();
  }

  open(protocol: string, remoteAddress: string, { unidirectional = false }: OpenStreamOptions): Stream {
    const { maxWaitingStreams } = this.#host.config;
    if (this.#table.waitingBeyondCredit(unidirectional) >= maxWaitingStreams) {
      const message = `${maxWaitingStreams} streams to ${remoteAddress} wait until it allows more; let open ones end first.`;
      throw new QuicTransportError("OCTOPII_QUIC_STREAM_LIMIT", message);
    }
    const stream = QuicStream.opening(this, protocol, unidirectional);
    this.#table.enqueue(stream, unidirectional);
    this.#open += 1;
    this.#host.wake();
    return stream;
  }

  /** Takes what came in on the control stream alone. */
  processControl(): void {
    this.#receiver.processControl();
  }

  /** Takes everything that came in, and calls owners. */
  process(): void {
    this.#receiver.process();
  }

  /** The engine may have room again. */
  unblock(): void {
    this.#sender.unblock();
  }

  /** Hands the engine what owners have written, and calls those who have room again. @returns whether nothing is left to do. */
  flush(): boolean {
    for (let round = 0; round < roundsMax; round += 1) {
      this.#callRechecks();
      if (!this.#host.isClosing) this.#sender.flush();
      const drained = this.#sender.takeDrained();
      for (const stream of drained) stream.drainEvent();
      if (drained.length === 0 && this.#finished.length === 0) return true;
      this.#callFinished();
    }
    return false;
  }

  /** The connection is going: every stream is over, and its owner hears of it at the next flush, or by {@link tellAll}. */
  end(code: number): void {
    for (const stream of this.#table.all()) stream.connectionClosed(code);
  }

  /** Calls owners for all that has happened. */
  tellAll(): void {
    this.#callRechecks();
    this.#callFinished();
  }

  #callRechecks(): void {
    if (this.#rechecks.length === 0) return;
    const rechecks = this.#rechecks;
    this.#rechecks = [];
    for (const stream of rechecks) stream.recheckEvents();
  }

  #callFinished(): void {
    const finished = this.#finished;
    this.#finished = [];
    for (const stream of finished) stream.closeEvent();
  }

  // What the streams use.

  get sendBufferBytes(): number {
    return this.#host.config.sendBufferBytes;
  }

  get maxSendBufferBytes(): number {
    return this.#host.config.maxSendBufferBytes;
  }

  sendable(stream: QuicStream): void {
    this.#sender.sendable(stream);
    this.#host.wake();
  }

  cut(stream: QuicStream, direction: "send" | "receive", code: number): void {
    this.#sender.cut(stream, direction, code);
    this.#host.wake();
  }

  receive(stream: QuicStream): Uint8Array | null {
    const bytes = this.#receiver.receive(stream);
    this.#host.wake();
    return bytes;
  }

  finished(stream: QuicStream): void {
    this.#open -= 1;
    this.#finished.push(stream);
    this.settle(stream);
    this.#host.wake();
  }

  recheck(stream: QuicStream): void {
    this.#rechecks.push(stream);
    this.#host.wake();
  }

  call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      // The owner's bug is not to stop other connections in the middle of their turn; it surfaces right after it.
      this.#host.scheduler.nextTurn(() => {
        throw error;
      });
    }
  }

  settle(stream: QuicStream): void {
    if (!stream.isOver || !stream.engineReceiveOver || !stream.engineSendOver) return;
    if (this.#table.get(stream.id) === stream) this.#table.remove(stream);
  }

  // What the receiver uses.

  get takesStreams(): boolean {
    return this.#host.takesStreams;
  }

  createIncoming(unidirectional: boolean): QuicStream {
    this.#open += 1;
    return new QuicStream(this, "", { send: !unidirectional, receive: true });
  }

  deliver(stream: QuicStream): void {
    const { onStream } = this.#host;
    if (onStream !== null) {
      this.call(() => onStream(stream));
      return;
    }
    stream.giveUpSending(quicCodes.streamRefused);
    stream.giveUpReading(quicCodes.streamRefused);
  }

  control(message: ControlMessage): void {
    this.#isConfirmed = true;
    if (message.type === "credit") {
      this.#table.addCredit(message.bidirectional, message.unidirectional);
      return;
    }
    const { type, streamId, code } = message;
    const stream = this.#table.get(streamId);
    if (stream === undefined) this.#table.cutEarly(streamId, { [type]: code });
    else if (type === "stop") this.#sender.stopStream(stream, code);
    else resetByPeer(stream, code);
  }

  cutEarly(stream: QuicStream, stop: number | undefined, reset: number | undefined): void {
    if (stop !== undefined) this.#sender.stopStream(stream, stop);
    if (reset !== undefined) resetByPeer(stream, reset);
  }

  violate(problem: string): void {
    this.#host.violate(problem);
  }
}

function resetByPeer(stream: QuicStream, code: number): void {
  const known = stream.partialPreamble === null;
  stream.receiveReset(code);
  // Nobody here will ever use a stream whose first bytes were given up.
  if (!known) stream.giveUpSending(code);
}
