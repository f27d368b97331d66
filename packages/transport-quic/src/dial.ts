import type { Connection, ConnectionClose, ConnectOptions, Scheduler, Timer } from "@octopii/interfaces";
import { quicCodes } from "./codes.js";
import { QuicTransportError } from "./errors.js";
import { dialError } from "./session/close.js";
import type { DialHandler } from "./session/endpoint.js";
import type { QuicConnection } from "./session/quic-connection.js";

const abandoned: ConnectionClose = { by: "local", code: quicCodes.transportClosed, reason: "the dial was given up" };

/** One call of `connect`: it ends by the first of an open connection, a failure, the deadline, the caller's signal, and the transport's close. */
export class Dial implements DialHandler {
  readonly result: Promise<Connection>;
  readonly #address: string;
  readonly #timer: Timer;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: (dial: Dial) => void;
  #resolve: (connection: Connection) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #connection: QuicConnection | null = null;
  #settled = false;

  constructor(address: string, options: ConnectOptions, timeoutMs: number, scheduler: Scheduler, onEnd: (dial: Dial) => void) {
    this.#address = address;
    this.#signal = options.signal;
    this.#onEnd = onEnd;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = scheduler.setTimer(timeoutMs, () => {
      const message = `${address} did not answer within ${timeoutMs} ms; check that an Octopii node listens there and that UDP reaches it.`;
      this.fail(new QuicTransportError("OCTOPII_QUIC_CONNECT_TIMEOUT", message, { details: { address, timeoutMs } }));
    });
    this.#signal?.addEventListener("abort", this.#onAbort);
  }

  /** It came to its end, or was told to. */
  get settled(): boolean {
    return this.#settled;
  }

  /** The connection that was started for it. */
  attach(connection: QuicConnection): void {
    this.#connection = connection;
  }

  opened(connection: QuicConnection): void {
    if (this.#settled) return;
    this.#settle();
    this.#resolve(connection);
  }

  closed(close: ConnectionClose): void {
    if (!this.#settled) this.fail(dialError(this.#address, close));
  }

  fail(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.#connection?.closeAs(abandoned);
    this.#reject(error);
  }

  readonly #onAbort = (): void => {
    this.fail(this.#signal?.reason);
  };

  #settle(): void {
    this.#settled = true;
    this.#timer.cancel();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#onEnd(this);
  }
}
