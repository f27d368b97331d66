import { checkValidity } from "@octopii/certificates";
import type { Clock, Logger, TlsCredentials } from "@octopii/interfaces";
import type { Task } from "../runtime/task.js";
import type { TaskGroup } from "../runtime/task-group.js";

/** Certificates live for days at least: twice a day tells of an end early enough, and fills no log. */
const intervalMs = 12 * 60 * 60 * 1000;

/** What an {@link ExpiryWatch} needs of its node. */
export interface WatchPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly background: { readonly tasks: TaskGroup };
}

/** Looks at a node's own certificate now and then, and warns before it expires and once it has. */
export class ExpiryWatch {
  readonly #ports: WatchPorts;
  #task: Task<never>;

  /** Looks at once. */
  constructor(credentials: TlsCredentials, ports: WatchPorts) {
    this.#ports = ports;
    this.#task = this.#start(credentials.certificate);
  }

  /** The certificate was replaced. */
  replace(credentials: TlsCredentials): void {
    this.close();
    this.#task = this.#start(credentials.certificate);
  }

  close(): void {
    this.#task.cancel();
  }

  #start(certificate: string): Task<never> {
    const { clock, logger, background } = this.#ports;
    return background.tasks.spawn(
      async ({ sleep }) => {
        for (;;) {
          const { state, message, remainingMs } = checkValidity(certificate, { clock });
          if (state !== "valid") logger.warn({ state, remainingMs }, `${message.replace(/\.$/, "")}: octopii certs rotate.`);
          await sleep(intervalMs);
        }
      },
      { name: "certificate watch", onClose: "cancel" },
    );
  }
}
