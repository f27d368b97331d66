import type { Connection, Stream } from "@octopii/interfaces";
import { Drain } from "./drain.js";
import type { Endpoint } from "./endpoint.js";
import { rpcProtocol, rpcStreamCodes } from "./frame-format.js";
import { attempt } from "./frame-stream.js";
import type { RpcRouter } from "./router.js";
import { type ConnectionLoad, ServedStream, type ServedStreamOwner } from "./served-stream.js";

/** The side of an endpoint that answers: all streams that peers opened to call us. */
export class RpcServer implements ServedStreamOwner {
  readonly endpoint: Endpoint;
  readonly router: RpcRouter;
  readonly #streams = new Set<ServedStream>();
  readonly #loads = new WeakMap<Connection, ConnectionLoad>();
  #drain: Drain | null = null;

  constructor(endpoint: Endpoint, router: RpcRouter) {
    this.endpoint = endpoint;
    this.router = router;
  }

  get closing(): boolean {
    return this.#drain !== null;
  }

  /** Takes a stream over if it is of this protocol. @returns whether it is. */
  accept(stream: Stream, connection: Connection): boolean {
    if (stream.protocol !== rpcProtocol) return false;
    const load = this.#loadOf(connection);
    if (this.closing) refuseStream(stream, rpcStreamCodes.closed);
    else if (load.streams >= this.endpoint.config.maxInboundStreams) {
      this.endpoint.logger?.warn(
        { peer: connection.peer.name, limit: this.endpoint.config.maxInboundStreams },
        "A stream was refused: the connection is at maxInboundStreams.",
      );
      refuseStream(stream, rpcStreamCodes.tooManyStreams);
    } else {
      const served = new ServedStream(this, stream, connection, load);
      this.#streams.add(served);
      served.start();
    }
    return true;
  }

  forget(stream: ServedStream): void {
    this.#streams.delete(stream);
    this.onProgress();
  }

  /** Some handler has settled, or some answer has left. */
  onProgress(): void {
    this.#drain?.check();
  }

  /** Refuses what is new, and waits for what runs. */
  close(deadline: number): Promise<void> {
    this.#drain ??= new Drain(
      this.endpoint,
      deadline,
      () => [...this.#streams].every((stream) => stream.idle),
      () => {
        for (const stream of [...this.#streams]) stream.close();
      },
    );
    return this.#drain.finished;
  }

  #loadOf(connection: Connection): ConnectionLoad {
    let load = this.#loads.get(connection);
    if (load === undefined) {
      load = { calls: 0, bytes: 0, streams: 0 };
      this.#loads.set(connection, load);
    }
    return load;
  }
}

/** Gives both directions of a stream up. */
export function refuseStream(stream: Stream, code: number): void {
  attempt(() => stream.reset(code));
  attempt(() => stream.stop(code));
}
