import type { Connection, ConnectionClose, ConnectOptions, Scheduler, Timer } from "@octopii/interfaces";
import { tcpCodes } from "./codes.js";
import { TcpTransportError } from "./errors.js";
import type { TlsFailure } from "./ports.js";
import { dialError } from "./session/close.js";
import type { TcpConnection } from "./session/tcp-connection.js";

const abandoned: ConnectionClose = { by: "local", code: tcpCodes.transportClosed, reason: "the dial was given up" };

/** One call of `connect`: it ends by the first of an open connection, a failure, the deadline, the caller's signal, and the transport's close. */
export class Dial {
  readonly result: Promise<Connection>;
  readonly #address: string;
  readonly #timer: Timer;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: (dial: Dial) => void;
  #resolve: (connection: Connection) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #connection: TcpConnection | null = null;
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
      const message = `${address} did not answer within ${timeoutMs} ms; check that an Octopii node listens there and that TCP reaches it.`;
      this.fail(new TcpTransportError("OCTOPII_TCP_CONNECT_TIMEOUT", message, { details: { address, timeoutMs } }));
    });
    this.#signal?.addEventListener("abort", this.#onAbort);
  }

  /** The connection that was started for it. */
  attach(connection: TcpConnection): void {
    this.#connection = connection;
  }

  opened(connection: TcpConnection): void {
    if (this.#settled) return;
    this.#settle();
    this.#resolve(connection);
  }

  closed(close: ConnectionClose, failure: TlsFailure | null): void {
    if (!this.#settled) this.fail(dialError(this.#address, close, failure));
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
