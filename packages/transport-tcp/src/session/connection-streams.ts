import type { Scheduler, Stream } from "@octopii/interfaces";
import { tcpCodes } from "../codes.js";
import { TcpTransportError } from "../errors.js";
import type { TcpTransportConfig } from "../options.js";
import { checkProtocolName, encodeOpen, encodeReset, encodeStop, encodeStreamCount } from "../wire/frame.js";
import type { FrameSender } from "./frame-sender.js";
import type { StreamTable } from "./stream-table.js";
import { type StreamHost, TcpStream } from "./tcp-stream.js";

/** What {@link ConnectionStreams} needs of its connection. */
export interface StreamsHost {
  readonly config: TcpTransportConfig;
  readonly scheduler: Scheduler;
  readonly remoteAddress: string;
  /** Who takes the streams that the peer opens. */
  readonly onStream: ((stream: Stream) => void) | null;
  /** It has no turns any more. */
  readonly isClosed: boolean;
  /** How many bytes of a stream the peer takes before it says more. */
  readonly peerStreamWindow: number;
  wake(): void;
  /** The owner read bytes of a stream, or they were thrown away. */
  consumed(stream: TcpStream, bytes: number): void;
}

/** The streams of one connection between their owners and the frames: their begin, their ends, and what is to be told of them. */
export class ConnectionStreams implements StreamHost {
  /** Streams that are not over for their owners. */
  open = 0;
  readonly sendBufferBytes: number;
  readonly maxSendBufferBytes: number;
  readonly streamWindowBytes: number;
  readonly #host: StreamsHost;
  readonly #table: StreamTable;
  readonly #sender: FrameSender;
  #notes: TcpStream[] = [];

  constructor(host: StreamsHost, table: StreamTable, sender: FrameSender) {
    this.#host = host;
    this.#table = table;
    this.#sender = sender;
    const { sendBufferBytes, maxSendBufferBytes, streamWindowBytes } = host.config;
    this.sendBufferBytes = sendBufferBytes;
    this.maxSendBufferBytes = maxSendBufferBytes;
    this.streamWindowBytes = streamWindowBytes;
  }

  /** Begins a stream of ours. @throws {TcpTransportError} `STREAM_LIMIT`; RangeError for a bad name. */
  begin(protocol: string, unidirectional: boolean): TcpStream {
    checkProtocolName(protocol);
    const { maxWaitingStreams } = this.#host.config;
    if (this.#table.waitingBeyondCredit(unidirectional) >= maxWaitingStreams) {
      const message = `${maxWaitingStreams} streams to ${this.#host.remoteAddress} wait until it allows more; let open ones end first.`;
      throw new TcpTransportError("OCTOPII_TCP_STREAM_LIMIT", message);
    }
    const stream = new TcpStream(this, protocol, { send: true, receive: !unidirectional });
    this.#table.enqueue(stream, unidirectional);
    this.open += 1;
    // At once if there is credit: then its first frame is ahead of whatever the owner does with it.
    this.openWaiting();
    this.#host.wake();
    return stream;
  }

  /** Enters a stream that the peer opens, for which it has credit. */
  createIncoming(id: number, protocol: string): TcpStream {
    const isUnidirectional = id % 4 >= 2;
    const stream = new TcpStream(this, protocol, { send: !isUnidirectional, receive: true });
    stream.sendLimit = this.#host.peerStreamWindow;
    this.#table.admit(id, stream);
    this.open += 1;
    stream.offer(this.#deliver);
    return stream;
  }

  /** The peer's first word on how many streams of each kind it takes. */
  addCredit(streams: number): void {
    this.#table.addCredit(streams, streams);
  }

  /** Gives the peer credit for streams, and ids to ours, as far as its credit goes. */
  openWaiting(): void {
    const credit = this.#table.nextCredit();
    if (credit !== null) this.#push(encodeStreamCount(...credit));
    this.#table.openWaiting((stream) => {
      stream.sendLimit = this.#host.peerStreamWindow;
      this.#sender.push(encodeOpen(stream.id, stream.protocol));
      if (stream.stopDue >= 0) this.#sender.push(encodeStop(stream.id, stream.stopDue));
      this.#sender.sendable(stream);
    });
  }

  /** Bytes of a stream, or its end, were put into a frame. */
  sent(stream: TcpStream, ended: boolean): void {
    if (ended) stream.endSent();
    stream.took();
    if (ended) this.settle(stream);
  }

  /** Nothing may be left of a stream: then it makes room for another. */
  settle(stream: TcpStream): void {
    if (!stream.isOver || !stream.wireReceiveOver || !stream.wireSendOver) return;
    if (this.#table.get(stream.id) !== stream) return;
    this.#table.remove(stream);
    this.#host.wake();
  }

  /** The connection is over, or about to be. */
  lose(code: number): void {
    for (const stream of this.#table.all()) stream.lose(code);
    this.#sender.clear();
  }

  get hasNews(): boolean {
    return this.#notes.length > 0;
  }

  /** Tells the owners. What their answers lead to is told in the next round or turn. */
  tell(): void {
    if (this.#notes.length === 0) return;
    const notes = this.#notes;
    this.#notes = [];
    for (const stream of notes) {
      stream.noted = false;
      stream.tell();
    }
  }

  #push(frame: Uint8Array): void {
    this.#sender.push(frame);
    this.#host.wake();
  }

  readonly #deliver = (stream: TcpStream): void => {
    const { onStream } = this.#host;
    if (onStream !== null) {
      this.call(() => onStream(stream));
      return;
    }
    stream.giveUpSending(tcpCodes.streamRefused);
    stream.giveUpReading(tcpCodes.streamRefused);
  };

  // What the streams use.

  sendable(stream: TcpStream): void {
    this.#sender.sendable(stream);
    this.#host.wake();
  }

  note(stream: TcpStream): void {
    if (stream.noted) return;
    stream.noted = true;
    this.#notes.push(stream);
    // Without a turn nobody would tell; the closing of a connection tells in its own.
    if (this.#host.isClosed) this.#host.scheduler.nextTurn(() => this.tell());
    else this.#host.wake();
  }

  sendReset(stream: TcpStream, code: number): void {
    if (stream.id >= 0) {
      stream.wireSendOver = true;
      this.#push(encodeReset(stream.id, code));
      this.settle(stream);
    } else if (this.#table.dequeue(stream)) stream.neverOpened(code);
  }

  sendStop(stream: TcpStream, code: number): void {
    if (stream.id >= 0) {
      if (!stream.wireReceiveOver) this.#push(encodeStop(stream.id, code));
    } else stream.stopDue = code;
  }

  consumed(stream: TcpStream, bytes: number): void {
    this.#host.consumed(stream, bytes);
    if (this.#sender.controlBytes > 0) this.#host.wake();
  }

  finished(stream: TcpStream): void {
    this.open -= 1;
    this.settle(stream);
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
}
