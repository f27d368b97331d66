import { LaneError, type LaneErrorCode } from "../errors.js";
import { nameProblem } from "../name.js";
import { failureNumber } from "./failure-codes.js";
import { chunkBytesLimit, frameKinds, hashSha256, knownFeatures } from "./frame-format.js";
import { decodeChunk, decodeOffer, encodeAbort, encodeCount, encodeTotal, type Offer, type Total, totalFits } from "./frames.js";

/** What a sender's frame means. */
export type Arrival =
  /** The next bytes, whose checksum fits. A view of the frame. */
  | { readonly type: "chunk"; readonly data: Uint8Array }
  /** That was all. Whether it is what was sent, {@link IncomingProtocol.check} says. */
  | { readonly type: "end" };

/**
 * The receiver's side of a transfer: offer → accept → chunks → end → done. It knows nothing of streams, files or time: frames go in and come
 * out. Everything throws {@link LaneError}.
 */
export class IncomingProtocol {
  readonly #peer: string;
  #offer: Offer | null = null;
  #received = 0;
  #end: Uint8Array | null = null;

  constructor(peer: string) {
    this.#peer = peer;
  }

  /** Bytes that have arrived and whose checksums fitted. */
  get received(): number {
    return this.#received;
  }

  /** Takes the first frame. @throws `PROTOCOL`, `UNSUPPORTED`, `NAME_INVALID` */
  offer(frame: Uint8Array, isWindows: boolean): Offer {
    if (frame[0] !== frameKinds.offer) throw this.#error("OCTOPII_LANE_PROTOCOL", "the transfer does not begin with its offer");
    const offer = decodeOffer(frame);
    if (typeof offer === "string") throw this.#error("OCTOPII_LANE_PROTOCOL", `the offer makes no sense: ${offer}`);
    const unknown = (offer.features & ~knownFeatures) >>> 0;
    if (unknown !== 0) throw this.#error("OCTOPII_LANE_UNSUPPORTED", `it needs features that this version does not have (bits ${unknown})`);
    if (offer.hash !== hashSha256)
      throw this.#error("OCTOPII_LANE_UNSUPPORTED", `it is checked by a hash that is unknown here (${offer.hash})`);
    if (offer.chunkBytes < 1 || offer.chunkBytes > chunkBytesLimit) {
      throw this.#error("OCTOPII_LANE_PROTOCOL", `chunks of ${offer.chunkBytes} bytes are not allowed`);
    }
    const problem = nameProblem(offer.name, isWindows);
    if (problem !== null) throw this.#error("OCTOPII_LANE_NAME_INVALID", `the name cannot be that of a file: ${problem}`);
    this.#offer = offer;
    return offer;
  }

  accept(): Uint8Array {
    return encodeCount("accept", 0);
  }

  /** Takes a frame after the offer. @throws `CORRUPT`, `PROTOCOL` */
  arrival(frame: Uint8Array): Arrival {
    const offer = this.#expectOffer();
    if (this.#end !== null) throw this.#error("OCTOPII_LANE_PROTOCOL", "the transfer goes on after its end");
    if (frame[0] === frameKinds.end) {
      this.#end = frame;
      return { type: "end" };
    }
    if (frame[0] !== frameKinds.chunk) throw this.#error("OCTOPII_LANE_PROTOCOL", `a frame makes no sense (kind ${frame[0] ?? "missing"})`);
    const chunk = decodeChunk(frame);
    if (chunk === null) throw this.#error("OCTOPII_LANE_CORRUPT", `the checksum of the chunk at byte ${this.#received} does not fit`);
    if (typeof chunk === "string") throw this.#error("OCTOPII_LANE_PROTOCOL", chunk);
    if (chunk.offset !== BigInt(this.#received)) {
      throw this.#error("OCTOPII_LANE_PROTOCOL", `a chunk for byte ${chunk.offset} came where that for ${this.#received} was due`);
    }
    const { data } = chunk;
    if (data.length > offer.chunkBytes) throw this.#error("OCTOPII_LANE_PROTOCOL", "a chunk is longer than the offer said");
    if (data.length > offer.size - this.#received) throw this.#error("OCTOPII_LANE_PROTOCOL", "more came than was offered");
    this.#received += data.length;
    return { type: "chunk", data };
  }

  /** So much is written. */
  taken(bytes: number): Uint8Array {
    return encodeCount("taken", bytes);
  }

  /** Holds what arrived against what the sender says that it sent. @throws `CORRUPT`, `PROTOCOL` */
  check(digest: Uint8Array): Total {
    const { size } = this.#expectOffer();
    if (this.#end === null) throw this.#error("OCTOPII_LANE_PROTOCOL", "the transfer has no end");
    if (this.#received !== size) throw this.#error("OCTOPII_LANE_PROTOCOL", `${size} bytes were offered, and ${this.#received} came`);
    const total: Total = { size, digest };
    const fits = totalFits(this.#end, total);
    if (fits === null) throw this.#error("OCTOPII_LANE_PROTOCOL", "the last frame makes no sense");
    if (!fits) throw this.#error("OCTOPII_LANE_CORRUPT", "the checksum of the whole does not fit");
    return total;
  }

  /** The last frame: the whole is checked and published. */
  done(total: Total): Uint8Array {
    return encodeTotal("done", total);
  }

  /** The last frame: this is why not. */
  abort(error: unknown): Uint8Array {
    return abortFrame(error);
  }

  #expectOffer(): Offer {
    if (this.#offer === null) throw new Error("The offer comes first.");
    return this.#offer;
  }

  #error(code: LaneErrorCode, what: string): LaneError {
    return new LaneError(code, `What ${this.#peer} sent was not taken: ${what}.`, { details: { reason: what } });
  }
}

/** The frame that tells a sender why its transfer is not taken. What is no {@link LaneError} stays on this side. */
export function abortFrame(error: unknown): Uint8Array {
  const { message, outcome, details } =
    error instanceof LaneError ? error : { message: "the receiver cancelled it.", outcome: "failed" as const, details: {} };
  const { reason } = details as { reason?: unknown };
  return encodeAbort({ number: failureNumber(error), outcome, sentence: typeof reason === "string" ? `${reason}.` : message });
}
