import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority, identifyForCluster, issueNodeCertificate } from "@octopii/certificates";
import type { Connection, Transport } from "@octopii/interfaces";
import { systemClock, systemScheduler } from "@octopii/system";
import { createMemoryNetwork, createMemoryTransport, type MemoryNetwork } from "@octopii/testing";
import { createQuicTransport } from "@octopii/transport-quic";
import { createTcpTransport } from "@octopii/transport-tcp";
import { createShippingLane, type ShippingLane, type ShippingLaneOptions } from "../../src/index.js";

export type Kind = "memory" | "tcp" | "quic";

let authority: ReturnType<typeof createAuthority> | null = null;

/** A lane that listens, on a real transport, in real time and with real files; and any number that dial it. */
export class Harbour {
  readonly kind: Kind;
  readonly directory: string;
  readonly receiver: ShippingLane;
  readonly accepted: Connection[] = [];
  readonly #options: ShippingLaneOptions;
  readonly #network: MemoryNetwork = createMemoryNetwork(systemScheduler, systemClock);
  readonly #closers: (() => Promise<unknown>)[] = [];
  #address = "";
  #ids = 0;

  private constructor(kind: Kind, directory: string, options: ShippingLaneOptions) {
    this.kind = kind;
    this.directory = directory;
    this.#options = options;
    this.receiver = this.lane();
  }

  static async open(kind: Kind, options: ShippingLaneOptions = {}): Promise<Harbour> {
    const harbour = new Harbour(kind, await mkdtemp(join(tmpdir(), "octopii-lane-")), options);
    const transport = await harbour.transport();
    const onConnection = (connection: Connection): void => {
      harbour.accepted.push(connection);
      harbour.receiver.serve(connection);
    };
    harbour.#address = (await transport.listen({ address: kind === "memory" ? "localhost:0" : "127.0.0.1:0", onConnection })).address;
    return harbour;
  }

  lane(): ShippingLane {
    const lane = createShippingLane({}, this.#options);
    this.#closers.push(() => lane.close());
    return lane;
  }

  async dial(): Promise<Connection> {
    return (await this.transport()).connect(this.#address);
  }

  async transport(): Promise<Transport> {
    this.#ids += 1;
    const transport = await this.#make(this.#ids);
    this.#closers.push(() => transport.close());
    return transport;
  }

  async #make(nodeId: number): Promise<Transport> {
    const name = `peer-${nodeId}`;
    if (this.kind === "memory") return createMemoryTransport(this.#network, { identity: { name, cluster: "harbour", nodeId } });
    authority ??= createAuthority({ cluster: "harbour" });
    const { certificate } = await authority;
    const issued = await issueNodeCertificate(await authority, { cluster: "harbour", nodeId, name });
    const credentials = { ...issued, authorities: certificate };
    const options = { credentials, identify: identifyForCluster({ cluster: "harbour" }) };
    return this.kind === "tcp" ? createTcpTransport(options) : createQuicTransport(options);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    await rm(this.directory, { recursive: true });
  }
}
