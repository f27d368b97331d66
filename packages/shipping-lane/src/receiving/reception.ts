import type { PeerIdentity, Stream } from "@octopii/interfaces";
import type { AbortWatch } from "../abort-watch.js";
import { LaneError } from "../errors.js";
import { hex, localError, withFacts } from "../facts.js";
import type { ShippingLaneConfig } from "../options.js";
import { checkNumber } from "../options.js";
import type { LanePorts } from "../ports.js";
import { cutShort, failureNumber } from "../protocol/failure-codes.js";
import { chunkHeadBytes, offerBytesLimit } from "../protocol/frame-format.js";
import type { Offer } from "../protocol/frames.js";
import { IncomingProtocol } from "../protocol/incoming-protocol.js";
import { FrameStream } from "../stream/frame-stream.js";
import { ProgressWatch } from "../stream/progress-watch.js";
import type { IncomingOffer, OfferHandler, OnProgress, ReceiveOptions, SaveOptions, TransferResult } from "../transfer.js";
import type { Inbox } from "./inbox.js";
import { type MemoryBudget, MemoryTarget, type Target } from "./target.js";

/** What a {@link Reception} works with. */
export interface ReceptionParts {
  readonly ports: LanePorts;
  readonly config: ShippingLaneConfig;
  readonly peer: PeerIdentity;
  readonly stream: Stream;
  readonly inbox: Inbox;
  readonly budget: MemoryBudget;
  readonly isWindows: boolean;
  /** Wraps what a caller gave, which may throw. */
  readonly guarded: (onProgress: OnProgress | undefined) => OnProgress;
  readonly aborts: AbortWatch;
  /** Aborts when the lane closes. */
  readonly closing: AbortSignal;
}

/** One transfer that a peer has begun. */
export class Reception {
  readonly #parts: ReceptionParts;
  readonly #protocol: IncomingProtocol;
  readonly #frames: FrameStream;
  readonly #watch: ProgressWatch;
  readonly #startedAt: number;
  /** What {@link IncomingOffer.signal} is. */
  readonly #over: AbortController = new AbortController();
  #isPublishing = false;
  #isDecided = false;
  #transfer: Promise<unknown> | null = null;

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
    const { peer, stream, ports, config } = parts;
    this.#startedAt = ports.clock.now();
    this.#protocol = new IncomingProtocol(peer.name);
    this.#frames = new FrameStream(stream, offerBytesLimit, (close) => cutShort(peer.name, close, "failed"));
    this.#watch = new ProgressWatch(ports, config.noProgressTimeoutMs, () => this.#giveUp(this.#stalled()));
    this.#frames.onMoved = () => this.#watch.moved();
    this.#frames.onClosed = (reason) => this.#giveUp(reason);
  }

  /** Resolves when all is over. Never rejects. */
  async run(handler: OfferHandler): Promise<void> {
    const { aborts, closing, ports, peer } = this.#parts;
    const unwatch = aborts.watch(closing, () => this.#giveUp(closing.reason));
    try {
      const offer = await this.#readOffer();
      await this.#decide(offer, handler);
      await this.#transfer;
    } catch (error) {
      this.#giveUp(error);
      ports.logger.warn({ peer: peer.name, error }, "A transfer that a peer began was not received.");
    } finally {
      unwatch();
      this.#watch.stop();
    }
  }

  async #readOffer(): Promise<Offer> {
    const frame = await this.#frames.next();
    if (frame === null) throw new LaneError("OCTOPII_LANE_PROTOCOL", `${this.#parts.peer.name} ended the stream before its offer.`);
    const offer = this.#protocol.offer(frame, this.#parts.isWindows);
    this.#frames.frameBytesMax = chunkHeadBytes + Math.max(offer.chunkBytes, 64);
    return offer;
  }

  async #decide(offer: Offer, handler: OfferHandler): Promise<void> {
    const { ports, peer } = this.#parts;
    try {
      await handler(this.#offered(offer));
    } catch (error) {
      ports.logger.warn({ peer: peer.name, name: offer.name, error }, "Whoever decides about transfers failed.");
    }
    if (!this.#isDecided) this.#refuse("nobody here took it");
  }

  #offered(offer: Offer): IncomingOffer {
    const { config, inbox, budget, peer } = this.#parts;
    return {
      id: hex(offer.id),
      name: offer.name,
      size: offer.size,
      metadata: offer.metadata,
      peer,
      signal: this.#over.signal,
      saveTo: (path, options: SaveOptions = {}) =>
        this.#take(async () => {
          const open = () => inbox.open(path, options.replace === true);
          const { result } = await this.#receive(offer, options, config.maxFileBytes, open);
          return { ...result, path };
        }),
      toMemory: (options: ReceiveOptions = {}) =>
        this.#take(async () => {
          const open = async () => new MemoryTarget(offer.size, budget);
          const { result, target } = await this.#receive(offer, options, config.maxMemoryBytes, open);
          return { ...result, data: target.data };
        }),
      refuse: (reason) => {
        this.#expectUndecided();
        this.#refuse(reason);
      },
    };
  }

  #take<Result>(receive: () => Promise<Result>): Promise<Result> {
    this.#expectUndecided();
    this.#isDecided = true;
    const transfer = receive();
    // A handler that does not wait for it must not bring the process down.
    this.#transfer = transfer.catch(() => undefined);
    return transfer;
  }

  #expectUndecided(): void {
    if (this.#isDecided) throw new Error("This offer has been decided about already; each is, once.");
  }

  #refuse(reason: string): void {
    this.#isDecided = true;
    this.#giveUp(localError("OCTOPII_LANE_REFUSED", `The transfer was refused: ${reason}`, reason.replace(/\.$/, "")));
  }

  async #receive<Kind extends Target>(
    offer: Offer,
    options: ReceiveOptions,
    bytesMax: number,
    open: () => Promise<Kind>,
  ): Promise<{ readonly result: TransferResult; readonly target: Kind }> {
    const { signal, maxBytes = bytesMax, onProgress } = options;
    const cancelled = (): void => this.#giveUp(signal?.reason);
    const unwatch = this.#parts.aborts.watch(signal, cancelled);
    let target: Kind | null = null;
    try {
      checkNumber("maxBytes", maxBytes, 0);
      if (signal?.aborted === true) cancelled();
      this.#over.signal.throwIfAborted();
      if (offer.size > maxBytes) throw tooLarge(offer, maxBytes);
      target = await open();
      const digest = await this.#content(offer, target, this.#parts.guarded(onProgress));
      return { result: await this.#publish(offer, target, digest), target };
    } catch (error) {
      this.#giveUp(error, true);
      await target?.discard();
      throw withFacts(error, this.#facts(offer));
    } finally {
      unwatch();
      this.#watch.stop();
    }
  }

  /** @returns the digest of what has come. */
  async #content(offer: Offer, target: Target, onProgress: OnProgress): Promise<Uint8Array> {
    const hash = this.#parts.ports.hasher.begin();
    await this.#frames.write([this.#protocol.accept()]);
    for (;;) {
      const arrival = this.#protocol.arrival(await this.#nextFrame());
      if (arrival.type === "end") break;
      await Promise.all([hash.update(arrival.data), target.write(arrival.data)]);
      this.#over.signal.throwIfAborted();
      const transferredBytes = this.#protocol.received;
      this.#frames.tryWrite(this.#protocol.taken(transferredBytes));
      onProgress({ transferredBytes, totalBytes: offer.size });
    }
    if ((await this.#frames.next()) !== null) throw new LaneError("OCTOPII_LANE_PROTOCOL", "The transfer goes on after its end.");
    return hash.digest();
  }

  async #publish(offer: Offer, target: Target, digest: Uint8Array): Promise<TransferResult> {
    const { peer, ports } = this.#parts;
    const total = this.#protocol.check(digest);
    this.#over.signal.throwIfAborted();
    // From here on nobody stops it: whoever gives up now would not know what is there.
    this.#isPublishing = true;
    this.#watch.stop();
    await target.publish();
    this.#frames.finish(this.#protocol.done(total), 0);
    const durationMs = ports.clock.now() - this.#startedAt;
    return { id: hex(offer.id), name: offer.name, peer, bytes: total.size, checksum: hex(digest), durationMs };
  }

  async #nextFrame(): Promise<Uint8Array> {
    const frame = await this.#frames.next();
    if (frame !== null) return frame;
    throw new LaneError("OCTOPII_LANE_PROTOCOL", `${this.#parts.peer.name} ended the stream within the transfer.`);
  }

  /** Ends the transfer, whatever it waits for, and tells the sender why. Only the first time counts. */
  #giveUp(reason: unknown, isOwn = false): void {
    if (this.#isPublishing && !isOwn) return;
    if (!this.#over.signal.aborted) this.#over.abort(reason);
    this.#frames.fail(reason);
    this.#frames.finish(this.#protocol.abort(reason), failureNumber(reason));
  }

  #stalled(): LaneError {
    const { peer, config } = this.#parts;
    const message = `Nothing of a transfer from ${peer.name} has moved for ${config.noProgressTimeoutMs} ms (noProgressTimeoutMs).`;
    return new LaneError("OCTOPII_LANE_TIMEOUT", message);
  }

  #facts(offer: Offer): Record<string, unknown> {
    const { peer, ports } = this.#parts;
    const durationMs = ports.clock.now() - this.#startedAt;
    return { peer: peer.name, name: offer.name, bytes: this.#protocol.received, durationMs };
  }
}

function tooLarge({ name, size }: Offer, maxBytes: number): LaneError {
  const message = `'${name}' has ${size} bytes, and at most ${maxBytes} are received (maxBytes); raise the limit if that is wanted.`;
  return localError("OCTOPII_LANE_TOO_LARGE", message, `it has ${size} bytes, and at most ${maxBytes} are received`, {
    details: { size, maxBytes },
  });
}
