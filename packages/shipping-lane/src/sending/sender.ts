import type { PeerIdentity, Stream } from "@octopii/interfaces";
import { LaneError } from "../errors.js";
import { hex, withFacts } from "../facts.js";
import type { LanePorts } from "../ports.js";
import { cutShort, failureNumber } from "../protocol/failure-codes.js";
import { answerBytesLimit } from "../protocol/frame-format.js";
import { OutgoingProtocol, type Shipment } from "../protocol/outgoing-protocol.js";
import { FrameStream } from "../stream/frame-stream.js";
import { ProgressWatch } from "../stream/progress-watch.js";
import type { OnProgress, TransferResult } from "../transfer.js";
import type { Source } from "./source.js";

/** What a {@link Sender} works with. */
export interface SenderParts {
  readonly ports: LanePorts;
  readonly peer: PeerIdentity;
  readonly stream: Stream;
  readonly source: Source;
  readonly shipment: Shipment;
  readonly noProgressTimeoutMs: number;
  readonly onProgress: OnProgress;
}

/** One transfer on its way to a peer. */
export class Sender {
  readonly #parts: SenderParts;
  readonly #protocol: OutgoingProtocol;
  readonly #frames: FrameStream;
  readonly #startedAt: number;
  #accepted: () => void = () => undefined;
  #reported = -1;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    const { peer, stream, shipment, ports } = parts;
    this.#startedAt = ports.clock.now();
    this.#protocol = new OutgoingProtocol(peer.name, shipment.size);
    this.#frames = new FrameStream(stream, answerBytesLimit, (close) => cutShort(peer.name, close, this.#protocol.outcome));
  }

  /** Sends all of it; resolves when the peer has published it. Once `signal` aborts, the peer is told, and it rejects with the reason. */
  async run(signal: AbortSignal): Promise<TransferResult> {
    const { ports, noProgressTimeoutMs, shipment, peer } = this.#parts;
    const aborted = (): void => this.#giveUp(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    const watch = new ProgressWatch(ports, noProgressTimeoutMs, () => this.#giveUp(this.#stalled()));
    this.#frames.onMoved = () => watch.moved();
    try {
      const digest = await this.#send();
      this.#frames.release(null);
      const durationMs = ports.clock.now() - this.#startedAt;
      return { id: hex(shipment.id), name: shipment.name, peer, bytes: shipment.size, checksum: hex(digest), durationMs };
    } catch (error) {
      this.#frames.release(failureNumber(error));
      throw withFacts(error, this.#facts());
    } finally {
      watch.stop();
      signal.removeEventListener("abort", aborted);
    }
  }

  /** @returns the digest, when the peer has confirmed it. */
  async #send(): Promise<Uint8Array> {
    const accepted = new Promise<void>((resolve) => {
      this.#accepted = resolve;
    });
    const answers = this.#readAnswers();
    // Whoever waits for room waits in vain once the peer has given up.
    answers.catch((error: unknown) => this.#frames.fail(error));
    await this.#write([this.#protocol.offer(this.#parts.shipment)], answers);
    await Promise.race([accepted, answers]);
    const digest = await this.#sendContent(answers);
    await this.#write([this.#protocol.end(digest)], answers);
    this.#frames.end();
    await answers;
    this.#report(this.#parts.shipment.size);
    return digest;
  }

  async #sendContent(answers: Promise<void>): Promise<Uint8Array> {
    const { source, ports } = this.#parts;
    const { size } = source;
    const hash = ports.hasher.begin();
    let reading = this.#read(0);
    for (let offset = 0; offset < size; ) {
      const data = await reading;
      offset += data.length;
      // The next chunk is read while this one is checked and leaves.
      reading = this.#read(offset);
      await hash.update(data);
      await this.#write(this.#protocol.chunk(data), answers);
    }
    await source.checkSize();
    return hash.digest();
  }

  #read(offset: number): Promise<Uint8Array> {
    const { source, shipment } = this.#parts;
    const length = Math.min(shipment.chunkBytes, source.size - offset);
    if (length <= 0) return Promise.resolve(new Uint8Array(0));
    const reading = source.read(offset, length);
    // Nobody may come back for it.
    reading.catch(() => undefined);
    return reading;
  }

  async #write(parts: readonly Uint8Array[], answers: Promise<void>): Promise<void> {
    // A peer that reads no more says why.
    if (!(await this.#frames.write(parts))) await answers;
  }

  /** Resolves when the peer has confirmed the whole. */
  async #readAnswers(): Promise<void> {
    for (;;) {
      const frame = await this.#frames.next();
      if (frame === null) throw cutShort(this.#parts.peer.name, null, this.#protocol.outcome);
      const answer = this.#protocol.answer(frame);
      if (answer.type === "done") return;
      if (answer.type === "accepted") this.#accepted();
      else this.#report(answer.bytes);
    }
  }

  #report(transferredBytes: number): void {
    if (transferredBytes === this.#reported) return;
    this.#reported = transferredBytes;
    this.#parts.onProgress({ transferredBytes, totalBytes: this.#parts.shipment.size });
  }

  #giveUp(reason: unknown): void {
    this.#frames.fail(reason);
    // At once: a disk that hangs must not keep the peer waiting.
    this.#frames.release(failureNumber(reason));
  }

  #stalled(): LaneError {
    const { peer, noProgressTimeoutMs, shipment } = this.#parts;
    const message = `Nothing of '${shipment.name}' has moved to ${peer.name} for ${noProgressTimeoutMs} ms (noProgressTimeoutMs).`;
    return new LaneError("OCTOPII_LANE_TIMEOUT", message, { outcome: this.#protocol.outcome });
  }

  #facts(): Record<string, unknown> {
    const { peer, shipment, ports } = this.#parts;
    return {
      peer: peer.name,
      name: shipment.name,
      bytes: this.#protocol.taken,
      durationMs: ports.clock.now() - this.#startedAt,
    };
  }
}
