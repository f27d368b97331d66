import type { Stream } from "@octopii/interfaces";
import type { InstallSnapshot } from "@octopii/raft";
import { FrameSource } from "./frame-source.js";
import { interrupted, SnapshotError } from "./snapshot-error.js";
import { dataBytesMax, decodeAnswer, frameBytesMax, SnapshotEncoder } from "./snapshot-frames.js";

/** One snapshot on its way to a peer. */
export class SnapshotSender {
  readonly #stream: Stream;
  readonly #peerName: string;
  readonly #source: FrameSource;
  /** Settles with the peer's answer, or with what kept it from coming. */
  readonly #answered: Promise<void>;
  #isOver = false;
  #isEnded = false;
  #isTaken = false;
  /** Ends the one wait that is under way, when there is nothing more to send. */
  #interrupt: (() => void) | null = null;

  constructor(stream: Stream, peerName: string) {
    this.#stream = stream;
    this.#peerName = peerName;
    this.#source = new FrameSource(stream, frameBytesMax);
    stream.onClose = ({ error }) => {
      const how = error === null ? "" : ` (${error.by}, code ${error.code})`;
      this.#source.closed(interrupted(`The stream to ${peerName} broke${how} before the answer.`));
    };
    this.#answered = this.#readAnswer();
    const over = (): void => {
      this.#isOver = true;
      this.#interrupt?.();
    };
    this.#answered.then(over, over);
  }

  /** Sends all of it, unless the answer comes before. Resolves when the peer has taken it. Pulls `chunks` only when there is room. */
  async send(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const iterator = chunks[Symbol.asyncIterator]();
    let isDone = false;
    try {
      const encoder = new SnapshotEncoder();
      await this.#write(encoder.message(message));
      while (!this.#isOver) {
        const next = await this.#unlessOver(iterator.next());
        isDone = next?.done === true;
        if (next === null || next.done === true) break;
        await this.#writeData(encoder, next.value);
      }
      if (isDone && (await this.#write(encoder.end()))) this.#end();
    } finally {
      // Not awaited: a source that hangs in `next` would hang here as well.
      if (!isDone) iterator.return?.().catch(() => undefined);
    }
    await this.#answered;
    this.#isTaken = true;
  }

  /** Ends everything with `reason`, unless the answer is there already. */
  giveUp(reason: unknown): void {
    this.#source.fail(reason);
  }

  /** Lets go of the stream. */
  close(): void {
    this.#stream.onClose = null;
    this.#stream.onReadable = null;
    this.#stream.onDrain = null;
    this.giveUp(interrupted("The transfer is over."));
    if (!this.#isEnded || !this.#isTaken) this.#stream.reset(0);
    this.#stream.stop(0);
  }

  #end(): void {
    this.#isEnded = true;
    this.#stream.end();
  }

  async #readAnswer(): Promise<void> {
    const frame = await this.#source.next();
    if (frame === null) throw interrupted(`${this.#peerName} ended the stream of a snapshot without an answer.`);
    const refusal = decodeAnswer(frame);
    if (refusal === null) return;
    const message = `${this.#peerName} refused the snapshot: ${refusal}`;
    throw new SnapshotError("OCTOPII_CORE_SNAPSHOT_REFUSED", message, { peer: this.#peerName, reason: refusal });
  }

  async #writeData(encoder: SnapshotEncoder, data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length && !this.#isOver; at += dataBytesMax) {
      await this.#write(encoder.data(data.subarray(at, at + dataBytesMax)));
    }
  }

  /** Resolves when there is room for the next frame. @returns false if the peer takes no more; its answer says why. */
  async #write(chunks: readonly Uint8Array[]): Promise<boolean> {
    let hasRoom = true;
    try {
      for (const chunk of chunks) hasRoom = this.#stream.write(chunk) && hasRoom;
    } catch {
      await this.#unlessOver(this.#answered);
      return false;
    }
    if (!hasRoom) await this.#unlessOver(this.#drained());
    return !this.#isOver;
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#stream.onDrain = resolve;
    });
  }

  /** What `work` gives; null if everything is over before. Leaves nothing behind on a promise that lives long. */
  #unlessOver<Value>(work: Promise<Value>): Promise<Value | null> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve(null);
      if (this.#isOver) resolve(null);
      work.then(resolve, reject);
    });
  }
}
