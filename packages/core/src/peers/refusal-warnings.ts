import type { IdentityRefusal, Logger, NodeId } from "@octopii/interfaces";

/** Different refusals that are told between two connections. Their words may be the peer's, so they must not gather without end. */
const warningsMax = 10;

const certificateRemedy = "see that the certificates of both are valid, of one cluster, and signed by an authority that the other accepts";
const addressRemedy = "see that members gives its address, and that the node there has a certificate of its own";

/** Tells the operator that an identity was refused, once for each cause until the next success: unlike a peer that is down, it does not mend itself. */
export class RefusalWarnings {
  readonly #logger: Logger;
  readonly #peerId: NodeId;
  readonly #told = new Set<string>();

  constructor(logger: Logger, peerId: NodeId) {
    this.#logger = logger;
    this.#peerId = peerId;
  }

  refused(address: string, refusal: IdentityRefusal): void {
    this.#tell(address, refusal, certificateRemedy);
  }

  /** Another node than the one that was to be dialed has answered. */
  wrongNode(address: string, found: string): void {
    this.#tell(address, { by: "local", reason: `the certificate there is that of ${found}` }, addressRemedy);
  }

  /** The peer was reached: the next refusal is news again. */
  clear(): void {
    this.#told.clear();
  }

  #tell(address: string, { by, reason }: IdentityRefusal, remedy: string): void {
    const peer = `node ${this.#peerId} at ${address}`;
    const who = by === "local" ? `This node refuses the identity of ${peer}` : `N${peer.slice(1)} refuses the identity of this node`;
    const message = `${who}: ${reason}; ${remedy}.`;
    const isNews = !this.#told.has(message) && this.#told.size < warningsMax;
    if (isNews) this.#told.add(message);
    this.#logger[isNews ? "warn" : "debug"]({ peer: this.#peerId, by }, message);
  }
}
