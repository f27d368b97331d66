import type { Stream, StreamClose } from "@octopii/interfaces";
import { checkCode, STREAM_REFUSED } from "./codes.js";
import type { Frame, StreamFrame, StreamOpening } from "./frames.js";
import type { ConnectionLimits } from "./options.js";
import { ReceiveSide } from "./receive-side.js";
import { SendSide } from "./send-side.js";

/** The most that one stream puts into a packet before the next one has its turn, in bytes. */
const QUANTUM_BYTES = 16 * 1024;

/** What a stream needs of its connection. */
export interface StreamSession {
  /** The stream may have something to send. */
  readonly queue: (stream: MemoryStream) => void;
  /** The stream has something to tell its owner. */
  readonly notify: (stream: MemoryStream) => void;
  readonly control: (frame: Frame) => void;
  /** Bytes of the connection's window are free again. */
  readonly consumed: (bytes: number) => void;
  /** Both directions are over. */
  readonly remove: (stream: MemoryStream) => void;
  /** Offers a stream to the connection's owner; false if nobody takes it. */
  readonly accept: (stream: MemoryStream) => boolean;
}

/** One end of a stream. Calls change state and leave notes; the connection calls the owner back from its own turns. */
export class MemoryStream implements Stream {
  readonly opening: StreamOpening;
  readonly local: boolean;
  /** Below zero until the peer's credit lets the stream be announced. */
  id: number;
  /** The connection has it in its queue of senders. */
  queued = false;
  /** The connection has it in its queue of notes. */
  noted = false;
  onDrain: (() => void) | null = null;
  onReadable: (() => void) | null = null;
  onClose: ((close: StreamClose) => void) | null = null;
  readonly #session: StreamSession;
  readonly #send: SendSide;
  readonly #receive: ReceiveSide;
  #nextSequence = 0;
  #resetDue: number | null = null;
  #stopDue: number | null = null;
  #error: StreamClose["error"] = null;
  #resetCode: number | null = null;
  #offerDue = false;
  #readableDue = false;
  #drainDue = false;
  #closeDue = false;
  #removed = false;

  constructor(session: StreamSession, id: number, local: boolean, opening: StreamOpening, limits: ConnectionLimits) {
    this.#session = session;
    this.id = id;
    this.local = local;
    this.opening = opening;
    const { own, peer } = limits;
    this.#send = new SendSide(local || !opening.unidirectional, peer.streamWindowBytes, own.sendBufferBytes);
    this.#receive = new ReceiveSide(!local || !opening.unidirectional, own.streamWindowBytes);
    this.#offerDue = !local;
  }

  get protocol(): string {
    return this.opening.protocol;
  }

  get ended(): boolean {
    return this.#receive.finished;
  }

  get resetCode(): number | null {
    return this.#resetCode;
  }

  /** Bytes or news could leave now if the connection's window has room. */
  get wantsToSend(): boolean {
    if (this.#resetDue !== null) return true;
    if (this.#send.over) return false;
    return (this.#nextSequence === 0 && this.local) || this.#send.sendable > 0 || this.#send.endDue;
  }

  write(bytes: Uint8Array): boolean {
    const more = this.#send.push(bytes);
    this.#session.queue(this);
    return more;
  }

  read(): Uint8Array | null {
    const chunk = this.#receive.read();
    if (chunk === null) return null;
    this.#session.consumed(chunk.length);
    const limit = this.#receive.creditDue();
    if (limit !== null) this.#session.control({ kind: "streamLimit", id: this.id, limit });
    if (this.#receive.finished) this.#checkOver();
    return chunk;
  }

  end(): void {
    if (this.#send.state !== "open") return;
    this.#send.state = "ending";
    this.#session.queue(this);
  }

  reset(code: number): void {
    checkCode(code);
    if (this.#send.over) return;
    this.#send.cut("reset", { by: "local", code });
    this.#resetDue = code;
    this.#error ??= { by: "local", code };
    this.#session.queue(this);
    this.#checkOver();
  }

  stop(code: number): void {
    checkCode(code);
    if (this.#receive.over) return;
    this.#session.consumed(this.#receive.cut("stopped"));
    this.#error ??= { by: "local", code };
    if (this.id >= 0) this.#session.control({ kind: "stop", id: this.id, code });
    else this.#stopDue = code;
    this.#checkOver();
  }

  /** The peer's credit lets the stream begin. */
  announce(id: number): void {
    this.id = id;
    this.#session.queue(this);
    if (this.#stopDue !== null) this.#session.control({ kind: "stop", id, code: this.#stopDue });
  }

  /** The next frame to send, with at most `allowance` bytes; null if there is none. */
  nextFrame(allowance: number): StreamFrame | null {
    const reset = this.#resetDue;
    this.#resetDue = null;
    const announces = this.#nextSequence === 0 && this.local;
    const wanted = reset === null ? Math.min(allowance, QUANTUM_BYTES) : 0;
    const bytes = wanted > 0 && this.#send.sendable > 0 ? this.#send.take(wanted) : null;
    const end = this.#send.endDue;
    if (bytes === null && !end && reset === null && !announces) return null;
    if (end) this.#send.state = "sent";
    if (this.#send.drained()) this.#noteDrain();
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    return { kind: "stream", id: this.id, sequence, opening: this.opening, bytes, end, reset };
  }

  receive(frame: StreamFrame): void {
    if (this.#receive.over) {
      this.#session.consumed(frame.bytes?.length ?? 0);
      return;
    }
    this.#receive.arrive(frame);
    for (let next = this.#receive.next(); next !== null; next = this.#receive.next()) this.#apply(next);
  }

  receiveLimit(limit: number): void {
    this.#send.grow(limit);
    this.#session.queue(this);
  }

  receiveStop(code: number): void {
    if (this.#send.over) return;
    this.#send.cut("stopped", { by: "stopped", code });
    this.#error ??= { by: "stopped", code };
    // A writer that waits for room would wait for ever; its next write tells it why.
    if (this.#send.wantsDrain) this.#noteDrain();
    this.#checkOver();
  }

  receiveEndReceived(): void {
    if (this.#send.state !== "sent") return;
    this.#send.state = "finished";
    this.#checkOver();
  }

  /** The connection is gone. */
  lose(code: number): void {
    if (this.#removed) return;
    if (!this.#send.over) this.#send.cut("lost", { by: "connection", code });
    this.#receive.cut("lost");
    this.#error ??= { by: "connection", code };
    this.#checkOver();
  }

  /** Tells the owner what there is to tell, one call at a time. */
  tell(): void {
    if (this.#offerDue) {
      this.#offerDue = false;
      if (!this.#session.accept(this)) this.#refuse();
    }
    if (this.#readableDue) {
      this.#readableDue = false;
      const { state } = this.#receive;
      if (state === "open" || state === "ended" || state === "reset") this.onReadable?.();
    }
    if (this.#drainDue) {
      this.#drainDue = false;
      this.onDrain?.();
    }
    if (!this.#closeDue) return;
    this.#closeDue = false;
    this.onClose?.({ error: this.#error });
  }

  #refuse(): void {
    this.reset(STREAM_REFUSED);
    this.stop(STREAM_REFUSED);
  }

  #apply(frame: StreamFrame): void {
    if (frame.reset !== null) {
      this.#session.consumed(this.#receive.cut("reset"));
      this.#error ??= { by: "reset", code: frame.reset };
      this.#resetCode = frame.reset;
      this.#noteReadable();
      this.#checkOver();
      return;
    }
    if (frame.bytes !== null) this.#receive.keep(frame.bytes);
    if (frame.end) {
      this.#receive.state = "ended";
      this.#session.control({ kind: "endReceived", id: this.id });
    }
    if (frame.bytes === null && !frame.end) return;
    this.#noteReadable();
    this.#checkOver();
  }

  #noteReadable(): void {
    this.#readableDue = true;
    this.#session.notify(this);
  }

  #noteDrain(): void {
    this.#drainDue = true;
    this.#session.notify(this);
  }

  #checkOver(): void {
    if (this.#removed || !this.#send.over || !this.#receive.over) return;
    this.#removed = true;
    this.#closeDue = true;
    this.#session.notify(this);
    this.#session.remove(this);
  }
}
