import type { Connection, PeerIdentity, Stream } from "@octopii/interfaces";
import { AbortWatch } from "./abort-watch.js";
import { LaneError } from "./errors.js";
import { withFacts } from "./facts.js";
import { baseName, checkName, encodeMetadata } from "./name.js";
import { checkNumber, resolveShippingLaneOptions, type ShippingLaneConfig, type ShippingLaneOptions } from "./options.js";
import { completePorts, type LaneConnection, type LanePorts, type ShippingLanePorts } from "./ports.js";
import { failureNumber } from "./protocol/failure-codes.js";
import { idBytes, laneProtocol } from "./protocol/frame-format.js";
import { abortFrame } from "./protocol/incoming-protocol.js";
import { Inbox } from "./receiving/inbox.js";
import { Reception } from "./receiving/reception.js";
import { MemoryBudget } from "./receiving/target.js";
import { Sender } from "./sending/sender.js";
import { Slots } from "./sending/slots.js";
import { memorySource, openFileSource, type Source } from "./sending/source.js";
import type { OfferHandler, OnProgress, SendOptions, TransferResult } from "./transfer.js";

/** Numbers of a lane: what is under way now, and what came of the rest. */
export interface ShippingLaneStats {
  readonly sending: number;
  /** Transfers that wait for their turn to be sent. */
  readonly waiting: number;
  readonly receiving: number;
  readonly sent: number;
  readonly sendFailures: number;
  /** Streams of this protocol that were turned away unread: too many at once, nobody to receive, or closed. */
  readonly turnedAway: number;
}

/** Sends and receives files and memory over any number of connections. It holds no threads, and handles only while transfers run. */
export interface ShippingLane {
  /** Decides about what peers offer. While it is null, everything is refused. */
  onOffer: OfferHandler | null;
  /**
   * Sends a file, in constant memory; resolves when the peer has checked it and published it.
   * @throws {LaneError} with the codes that the README lists; the signal's reason if it aborts.
   */
  sendFile(connection: LaneConnection, path: string, options?: SendOptions): Promise<TransferResult>;
  /**
   * Sends bytes from memory; as {@link ShippingLane.sendFile}.
   * @param bytes - not copied: leave them alone until the promise settles.
   */
  sendBytes(connection: LaneConnection, bytes: Uint8Array, options: SendOptions & { readonly name: string }): Promise<TransferResult>;
  /**
   * Receives what comes on a stream, if it is of this package's protocol; for whoever owns the connection's `onStream`.
   * @returns false if the stream is of another protocol; it was not touched then.
   */
  acceptStream(stream: Stream, connection: LaneConnection): boolean;
  /** Receives what comes on a connection which carries nothing else: takes its `onStream`, and refuses other protocols. */
  serve(connection: Connection): void;
  /**
   * Removes what a crash has left of unfinished files in a directory. Done by itself when the first file is received into it.
   * @returns how many there were. @throws what the file system throws if the directory cannot be read.
   */
  cleanUp(directory: string): Promise<number>;
  stats(): ShippingLaneStats;
  /**
   * Gives up all transfers, tells the peers, and resolves when every file is closed and nothing unfinished is left. What is being published
   * is finished. Connections stay open: they are their owner's. Repeating the call gives the same promise.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a shipping lane. It does nothing until it is given a connection.
 * @throws {RangeError} if options are wrong; it names all that are.
 */
export function createShippingLane(ports: ShippingLanePorts = {}, options: ShippingLaneOptions = {}): ShippingLane {
  return new Lane(completePorts(ports), resolveShippingLaneOptions(options));
}

/** A source, and what is said of it. */
interface Cargo {
  readonly name: string;
  readonly open: () => Promise<Source>;
}

class Lane implements ShippingLane {
  onOffer: OfferHandler | null = null;
  readonly #ports: LanePorts;
  readonly #config: ShippingLaneConfig;
  readonly #inbox: Inbox;
  readonly #budget: MemoryBudget;
  readonly #slots = new Map<LaneConnection, Slots>();
  readonly #closing = new AbortController();
  readonly #aborts = new AbortWatch();
  readonly #running = new Set<Promise<unknown>>();
  readonly #receivingFrom = new Map<string, number>();
  #closed: Promise<void> | null = null;
  #sending = 0;
  #receiving = 0;
  #sent = 0;
  #sendFailures = 0;
  #turnedAway = 0;

  constructor(ports: LanePorts, config: ShippingLaneConfig) {
    this.#ports = ports;
    this.#config = config;
    this.#inbox = new Inbox(ports.fileSystem, ports.random, ports.logger);
    this.#budget = new MemoryBudget(config.maxMemoryTotalBytes);
  }

  sendFile(connection: LaneConnection, path: string, options: SendOptions = {}): Promise<TransferResult> {
    const { fileSystem, logger } = this.#ports;
    return this.#send(connection, { name: options.name ?? baseName(path), open: () => openFileSource(fileSystem, path, logger) }, options);
  }

  sendBytes(connection: LaneConnection, bytes: Uint8Array, options: SendOptions & { readonly name: string }): Promise<TransferResult> {
    return this.#send(connection, { name: options.name, open: async () => memorySource(bytes) }, options);
  }

  acceptStream(stream: Stream, connection: LaneConnection): boolean {
    if (stream.protocol !== laneProtocol) return false;
    const refusal = this.#refusal(connection.peer);
    if (refusal !== null) this.#turnAway(stream, connection.peer, refusal);
    else this.#receive(stream, connection.peer);
    return true;
  }

  serve(connection: Connection): void {
    connection.onStream = (stream) => {
      if (this.acceptStream(stream, connection)) return;
      const code = failureNumber(new LaneError("OCTOPII_LANE_UNSUPPORTED", ""));
      stream.reset(code);
      stream.stop(code);
    };
  }

  cleanUp(directory: string): Promise<number> {
    return this.#inbox.clean(directory);
  }

  stats(): ShippingLaneStats {
    let waiting = 0;
    for (const slots of this.#slots.values()) waiting += slots.waiting;
    const sending = this.#sending - waiting;
    return {
      sending,
      waiting,
      receiving: this.#receiving,
      sent: this.#sent,
      sendFailures: this.#sendFailures,
      turnedAway: this.#turnedAway,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort(closedError());
    await Promise.allSettled(this.#running);
  }

  async #send(connection: LaneConnection, cargo: Cargo, options: SendOptions): Promise<TransferResult> {
    options.signal?.throwIfAborted();
    if (this.#closed !== null) throw closedError();
    checkName(cargo.name);
    encodeMetadata(options.metadata ?? {});
    checkNumber("noProgressTimeoutMs", options.noProgressTimeoutMs ?? this.#config.noProgressTimeoutMs, 1);
    this.#sending += 1;
    try {
      const result = await this.#track(this.#sendInTurn(connection, cargo, options));
      this.#sent += 1;
      return result;
    } catch (error) {
      this.#sendFailures += 1;
      throw error;
    } finally {
      this.#sending -= 1;
    }
  }

  async #sendInTurn(connection: LaneConnection, cargo: Cargo, options: SendOptions): Promise<TransferResult> {
    const controller = new AbortController();
    const ends = [options.signal, this.#closing.signal].map((signal) => this.#aborts.watch(signal, () => controller.abort(signal?.reason)));
    const slots = this.#slotsOf(connection);
    try {
      await slots.enter(controller.signal);
      try {
        return await this.#sendNow(connection, cargo, options, controller.signal);
      } finally {
        slots.leave();
      }
    } finally {
      for (const end of ends) end();
      if (slots.isIdle && this.#slots.get(connection) === slots) this.#slots.delete(connection);
    }
  }

  async #sendNow(connection: LaneConnection, cargo: Cargo, options: SendOptions, signal: AbortSignal): Promise<TransferResult> {
    const { peer } = connection;
    const { metadata = {}, noProgressTimeoutMs = this.#config.noProgressTimeoutMs } = options;
    const source = await cargo.open();
    try {
      signal.throwIfAborted();
      const { chunkBytes } = this.#config;
      const shipment = { id: this.#ports.random.bytes(idBytes), name: cargo.name, size: source.size, chunkBytes, metadata };
      const stream = openStream(connection, cargo.name);
      const onProgress = this.#guarded(options.onProgress);
      const sender = new Sender({ ports: this.#ports, peer, stream, source, shipment, noProgressTimeoutMs, onProgress });
      return await sender.run(signal);
    } finally {
      await source.close();
    }
  }

  #slotsOf(connection: LaneConnection): Slots {
    const known = this.#slots.get(connection);
    if (known !== undefined) return known;
    const slots = new Slots(this.#config.maxSendingPerConnection, this.#config.maxWaitingPerConnection);
    this.#slots.set(connection, slots);
    return slots;
  }

  /** Why nothing is received from a peer now; null if something is. */
  #refusal(peer: PeerIdentity): LaneError | null {
    if (this.#closed !== null) return closedError();
    if (this.onOffer === null) return new LaneError("OCTOPII_LANE_REFUSED", "Nobody receives here.");
    const { maxReceiving, maxReceivingPerPeer } = this.#config;
    const fromPeer = this.#receivingFrom.get(peer.name) ?? 0;
    if (fromPeer < maxReceivingPerPeer && this.#receiving < maxReceiving) return null;
    return new LaneError(
      "OCTOPII_LANE_BUSY",
      `${fromPeer} transfers from this peer are under way, and ${this.#receiving} in all; try again later.`,
    );
  }

  #turnAway(stream: Stream, peer: PeerIdentity, refusal: LaneError): void {
    this.#turnedAway += 1;
    this.#ports.logger.warn({ peer: peer.name, error: refusal }, "A transfer that a peer began was turned away.");
    try {
      stream.write(abortFrame(refusal));
    } catch (error) {
      this.#ports.logger.debug({ peer: peer.name, error }, "A peer did not wait to hear that its transfer is turned away.");
    }
    stream.end();
    stream.stop(failureNumber(refusal));
  }

  #receive(stream: Stream, peer: PeerIdentity): void {
    const reception = new Reception({
      ports: this.#ports,
      config: this.#config,
      peer,
      stream,
      inbox: this.#inbox,
      budget: this.#budget,
      isWindows: process.platform === "win32",
      guarded: (onProgress) => this.#guarded(onProgress),
      aborts: this.#aborts,
      closing: this.#closing.signal,
    });
    this.#receiving += 1;
    this.#receivingFrom.set(peer.name, (this.#receivingFrom.get(peer.name) ?? 0) + 1);
    const handler: OfferHandler = (offer) => this.onOffer?.(offer);
    void this.#track(
      reception.run(handler).then(() => {
        this.#receiving -= 1;
        const left = (this.#receivingFrom.get(peer.name) ?? 1) - 1;
        if (left === 0) this.#receivingFrom.delete(peer.name);
        else this.#receivingFrom.set(peer.name, left);
      }),
    );
  }

  async #track<Value>(work: Promise<Value>): Promise<Value> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  #guarded(onProgress: OnProgress | undefined): OnProgress {
    if (onProgress === undefined) return () => undefined;
    return (progress) => {
      try {
        onProgress(progress);
      } catch (error) {
        this.#ports.logger.warn({ error }, "A progress callback threw.");
      }
    };
  }
}

function openStream(connection: LaneConnection, name: string): Stream {
  try {
    return connection.openStream(laneProtocol);
  } catch (error) {
    const message = `No stream to ${connection.peer.name} could be opened; connect again.`;
    throw withFacts(new LaneError("OCTOPII_LANE_DISCONNECTED", message, { cause: error }), { peer: connection.peer.name, name, bytes: 0 });
  }
}

const closedError = (): LaneError => new LaneError("OCTOPII_LANE_CLOSED", "The shipping lane was closed; make another one.");
