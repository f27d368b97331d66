import type { Stream, StreamClose } from "@octopii/interfaces";
import { concatenate } from "./bytes.js";

/** Owns one end of a stream: reads it, writes it with regard for back-pressure, and notes how it ended. */
export class StreamProbe {
  readonly stream: Stream;
  readonly closed: Promise<StreamClose>;
  /** Resolves when the peer's direction ended or the stream closed. */
  readonly finished: Promise<void>;
  /** Resolves when the peer gave its direction up, with its code. */
  readonly resetByPeer: Promise<number>;
  readonly chunks: Uint8Array[] = [];
  receivedBytes = 0;
  drains = 0;
  closes = 0;
  /** Callbacks that came after `onClose`. */
  late = 0;
  #reading: boolean;
  #resumeWriting: (() => void) | null = null;
  #settleFinished: () => void = () => undefined;
  #settleReset: (code: number) => void = () => undefined;
  #settleClosed: (close: StreamClose) => void = () => undefined;

  /** @param reading - false: bytes stay in the stream until `startReading`. */
  constructor(stream: Stream, reading = true) {
    this.stream = stream;
    this.#reading = reading;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.finished = new Promise((resolve) => {
      this.#settleFinished = resolve;
    });
    this.resetByPeer = new Promise((resolve) => {
      this.#settleReset = resolve;
    });
    stream.onReadable = () => this.#onReadable();
    stream.onDrain = () => this.#onDrain();
    stream.onClose = (close) => this.#onClose(close);
  }

  /** What was read so far. */
  bytes(): Uint8Array {
    return concatenate(this.chunks);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  startReading(): void {
    this.#reading = true;
    this.#pump();
  }

  /** Writes `bytes` in pieces of `pieceBytes`, waiting whenever it is told to. Gives up when the stream closes. */
  async send(bytes: Uint8Array, pieceBytes: number = 64 * 1024): Promise<void> {
    for (let position = 0; position < bytes.length && this.closes === 0; position += pieceBytes) {
      if (this.stream.write(bytes.slice(position, position + pieceBytes))) continue;
      await new Promise<void>((resolve) => {
        this.#resumeWriting = resolve;
      });
    }
  }

  say(text: string): void {
    this.stream.write(new TextEncoder().encode(text));
  }

  #pump(): void {
    if (!this.#reading) return;
    for (let chunk = this.stream.read(); chunk !== null; chunk = this.stream.read()) {
      this.chunks.push(chunk);
      this.receivedBytes += chunk.length;
    }
    if (this.stream.ended) this.#settleFinished();
  }

  #onReadable(): void {
    if (this.closes > 0) this.late += 1;
    this.#pump();
    if (this.stream.resetCode !== null) this.#settleReset(this.stream.resetCode);
  }

  #onDrain(): void {
    if (this.closes > 0) this.late += 1;
    this.drains += 1;
    this.#resume();
  }

  #onClose(close: StreamClose): void {
    this.closes += 1;
    this.#settleFinished();
    this.#settleClosed(close);
    this.#resume();
  }

  #resume(): void {
    const resume = this.#resumeWriting;
    this.#resumeWriting = null;
    resume?.();
  }
}
