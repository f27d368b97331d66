import type { Outcome } from "@octopii/interfaces";
import { LaneError } from "../errors.js";
import { checkName, encodeMetadata } from "../name.js";
import { failureCode } from "./failure-codes.js";
import { frameKinds, hashSha256, knownFeatures } from "./frame-format.js";
import { decodeAbort, decodeCount, encodeChunk, encodeOffer, encodeTotal, type Total, totalFits } from "./frames.js";

/** What a transfer is, from its sender's side. */
export interface Shipment {
  readonly id: Uint8Array;
  readonly name: string;
  readonly size: number;
  readonly chunkBytes: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a receiver's frame means. */
export type Answer =
  | { readonly type: "accepted" }
  /** So many bytes have been checked and written at the receiver. */
  | { readonly type: "taken"; readonly bytes: number }
  /** The whole is published, and is what was sent. */
  | { readonly type: "done" };

/**
 * The sender's side of a transfer: offer → accept → chunks → end → done. It knows nothing of streams, files or time: frames go in and come
 * out. Everything throws {@link LaneError}.
 */
export class OutgoingProtocol {
  readonly #peer: string;
  readonly #size: number;
  #state: "offered" | "accepted" | "ended" | "done" = "offered";
  #sent = 0;
  #taken = 0;
  #total: Total | null = null;

  constructor(peer: string, size: number) {
    this.#peer = peer;
    this.#size = size;
  }

  /** What a failure from now on means: once everything has been sent, the receiver may have published it. */
  get outcome(): Outcome {
    return this.#state === "ended" ? "unknown" : "failed";
  }

  /** Bytes that the receiver has checked and written, as it says. */
  get taken(): number {
    return this.#taken;
  }

  /** The first frame. @throws `NAME_INVALID` */
  offer({ id, name, chunkBytes, metadata }: Shipment): Uint8Array {
    const fields = encodeMetadata(metadata);
    const bytes = new TextEncoder().encode(checkName(name));
    return encodeOffer({ id, name: bytes, fields, size: this.#size, chunkBytes, hash: hashSha256, features: knownFeatures });
  }

  /** The frame for the next bytes, which are referenced. */
  chunk(data: Uint8Array): [Uint8Array, Uint8Array] {
    const frame = encodeChunk(this.#sent, data);
    this.#sent += data.length;
    return frame;
  }

  /** The last frame. */
  end(digest: Uint8Array): Uint8Array {
    this.#total = { size: this.#sent, digest };
    this.#state = "ended";
    return encodeTotal("end", this.#total);
  }

  /** Takes a frame of the receiver. @throws what the receiver gave up with; `PROTOCOL` if the frame makes no sense here. */
  answer(frame: Uint8Array): Answer {
    const kind = frame[0];
    if (kind === frameKinds.abort) throw this.#aborted(frame);
    if (kind === frameKinds.accept && this.#state === "offered" && decodeCount(frame) === 0n) {
      this.#state = "accepted";
      return { type: "accepted" };
    }
    if (kind === frameKinds.taken && this.#state !== "offered") {
      const count = decodeCount(frame);
      if (count !== null && count >= BigInt(this.#taken) && count <= BigInt(this.#sent)) {
        this.#taken = Number(count);
        return { type: "taken", bytes: this.#taken };
      }
    }
    if (kind === frameKinds.done && this.#total !== null) return this.#done(frame, this.#total);
    throw this.#error("OCTOPII_LANE_PROTOCOL", `${this.#peer} sent a frame that makes no sense there (kind ${kind ?? "missing"}).`);
  }

  #done(frame: Uint8Array, total: Total): Answer {
    const fits = totalFits(frame, total);
    if (fits === null) throw this.#error("OCTOPII_LANE_PROTOCOL", `${this.#peer} ended the transfer with a frame that makes no sense.`);
    if (!fits) throw this.#error("OCTOPII_LANE_CORRUPT", `${this.#peer} says that it published something else than was sent.`);
    this.#state = "done";
    this.#taken = total.size;
    return { type: "done" };
  }

  #aborted(frame: Uint8Array): LaneError {
    const abort = decodeAbort(frame);
    if (abort === null) return this.#error("OCTOPII_LANE_PROTOCOL", `${this.#peer} gave up with a frame that makes no sense.`);
    const message = `${this.#peer} did not take the transfer: ${abort.sentence}`;
    return new LaneError(failureCode(abort.number), message, { outcome: abort.outcome, details: { reason: abort.sentence } });
  }

  #error(code: "OCTOPII_LANE_PROTOCOL" | "OCTOPII_LANE_CORRUPT", message: string): LaneError {
    return new LaneError(code, message, { outcome: this.outcome });
  }
}
