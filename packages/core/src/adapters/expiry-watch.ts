import { checkValidity } from "@octopii/certificates";
import type { Clock, Logger, Scheduler, Timer, TlsCredentials } from "@octopii/interfaces";

/** Certificates live for days at least: twice a day tells of an end early enough, and fills no log. */
const intervalMs = 12 * 60 * 60 * 1000;

/** Looks at a node's own certificate now and then, and warns before it expires and once it has. */
export class ExpiryWatch {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  #certificate: string;
  #timer: Timer | null = null;

  /** Looks at once. */
  constructor(credentials: TlsCredentials, ports: { readonly clock: Clock; readonly scheduler: Scheduler; readonly logger: Logger }) {
    this.#clock = ports.clock;
    this.#scheduler = ports.scheduler;
    this.#logger = ports.logger;
    this.#certificate = credentials.certificate;
    this.#look();
  }

  /** The certificate was replaced. */
  replace(credentials: TlsCredentials): void {
    this.#certificate = credentials.certificate;
    this.close();
    this.#look();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(): void {
    const { state, message, remainingMs } = checkValidity(this.#certificate, { clock: this.#clock });
    if (state !== "valid") this.#logger.warn({ state, remainingMs }, `${message.replace(/\.$/, "")}: octopii certs rotate.`);
    this.#timer = this.#scheduler.setTimer(intervalMs, () => this.#look());
  }
}
