import type { Node } from "@octopii/core";
import type { Logger, TlsCredentials } from "@octopii/interfaces";
import { describeError } from "../errors.js";
import { readNodeCredentials } from "./node-config.js";

/** How often the files are looked at: a rotation is no matter of seconds. */
const intervalMs = 2_000;

/** Has a running node show a new certificate once its files hold one, so that a rotation needs no restart. */
export class CredentialsWatch {
  readonly #path: string;
  readonly #node: Pick<Node, "replaceCredentials">;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #current: string;
  /** The last complaint, which is not repeated at every look. */
  #complaint: string | null = null;

  constructor(path: string, current: TlsCredentials, node: Pick<Node, "replaceCredentials">, logger: Logger) {
    this.#path = path;
    this.#node = node;
    this.#logger = logger;
    this.#current = JSON.stringify(current);
    this.#timer = setInterval(() => void this.#look(), intervalMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      const credentials = readNodeCredentials(this.#path);
      const text = JSON.stringify(credentials);
      if (text === this.#current) return;
      // Told once, good or not: half of a pair may be there already, and the rest a moment later is another change.
      this.#current = text;
      await this.#node.replaceCredentials(credentials);
      this.#complaint = null;
      this.#logger.info({ config: this.#path }, "The node shows its new certificate from now on.");
    } catch (error) {
      const complaint = `The node keeps its old certificate: ${describeError(error)}`;
      if (complaint === this.#complaint) return;
      this.#complaint = complaint;
      this.#logger.warn({ config: this.#path }, complaint);
    }
  }
}
