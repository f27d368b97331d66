import type { Connection, Transport } from "@octopii/interfaces";
import type { Rpc, RpcClient } from "@octopii/rpc";

/** A connection to one member, or the dial for it. */
interface Entry {
  readonly dialed: Promise<RpcClient>;
  /** Null while it is being dialed. */
  client: RpcClient | null;
}

/** A client's connections, one to each member at most. Calls to one member share its connection, and the dial for it. */
export class MemberConnections {
  readonly #transport: Transport;
  readonly #rpc: Rpc;
  readonly #connectTimeoutMs: number;
  readonly #entries = new Map<string, Entry>();
  #wasAccepted = false;

  constructor(transport: Transport, rpc: Rpc, connectTimeoutMs: number) {
    this.#transport = transport;
    this.#rpc = rpc;
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  /** Whether any member ever accepted us. */
  get wasAccepted(): boolean {
    return this.#wasAccepted;
  }

  /** The member's client, if there is a connection to it now. */
  live(address: string): RpcClient | null {
    return this.#entries.get(address)?.client ?? null;
  }

  /** The member's client, over the connection that there is or a new one. Rejects with the transport's error. */
  dial(address: string): Promise<RpcClient> {
    const known = this.#entries.get(address);
    if (known !== undefined) return known.dialed;
    const forget = (): void => {
      if (this.#entries.get(address) === entry) this.#entries.delete(address);
    };
    const connected = (connection: Connection): RpcClient => {
      this.#wasAccepted = true;
      void connection.closed.then(forget);
      entry.client = this.#rpc.client(connection);
      return entry.client;
    };
    const entry: Entry = { dialed: this.#transport.connect(address, { timeoutMs: this.#connectTimeoutMs }).then(connected), client: null };
    this.#entries.set(address, entry);
    entry.dialed.catch(forget);
    return entry.dialed;
  }
}
