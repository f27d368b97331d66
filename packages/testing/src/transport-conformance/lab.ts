import assert from "node:assert/strict";
import type { Connection, Listener, OpenStreamOptions } from "@octopii/interfaces";
import { watchStrayRejections } from "../adapters/stray-rejections.js";
import { Inbox } from "./inbox.js";
import type { TransportFixture, TransportSuiteConfig } from "./options.js";
import { StreamProbe } from "./stream-probe.js";

/** Two ends of one connection, and what each end's peer opened; nobody reads those streams until `startReading`. */
export interface Pair {
  readonly client: Connection;
  readonly server: Connection;
  readonly clientStreams: Inbox<StreamProbe>;
  readonly serverStreams: Inbox<StreamProbe>;
}

/** Has every stream that the peer opens watched from its first moment. */
export function watchStreams(connection: Connection, inbox: Inbox<StreamProbe>): void {
  connection.onStream = (stream) => inbox.put(new StreamProbe(stream, false));
}

/** Two ends of one stream. */
export interface StreamPair {
  readonly opener: StreamProbe;
  readonly acceptor: StreamProbe;
}

/** Everything that one case needs, with every wait bounded. */
export class Lab {
  readonly fixture: TransportFixture;
  readonly config: TransportSuiteConfig;
  /** The connections that the server side was given. */
  readonly accepted: Inbox<Connection> = new Inbox<Connection>();
  readonly #rejections: unknown[] = [];
  readonly #stopWatching: () => void;

  constructor(fixture: TransportFixture, config: TransportSuiteConfig) {
    this.fixture = fixture;
    this.config = config;
    this.#stopWatching = watchStrayRejections((reason) => this.#rejections.push(reason));
  }

  /** Waits for what must happen. */
  within<T>(promise: Promise<T>, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { scheduler, waitMs } = this.config;
      const timer = scheduler.setTimer(waitMs, () => reject(new assert.AssertionError({ message: `${what}: not within ${waitMs} ms` })));
      const settle =
        <A>(next: (value: A) => void) =>
        (value: A) => {
          timer.cancel();
          next(value);
        };
      promise.then(settle(resolve), settle(reject));
    });
  }

  /** Lets time pass. */
  pause(milliseconds: number = this.config.quietMs): Promise<void> {
    return new Promise((resolve) => {
      this.config.scheduler.setTimer(milliseconds, resolve);
    });
  }

  listen(): Promise<Listener> {
    const { server, listenAddress } = this.fixture;
    return this.within(server.listen({ address: listenAddress, onConnection: this.accepted.put }), "listen");
  }

  /** Connects the two transports. */
  async pair(): Promise<Pair> {
    const listener = await this.listen();
    return this.pairAt(listener.address);
  }

  /** Connects to a listener that puts its connections into `accepted`. */
  async pairAt(address: string): Promise<Pair> {
    const client = await this.within(this.fixture.client.connect(address), "connect");
    const clientStreams = new Inbox<StreamProbe>();
    watchStreams(client, clientStreams);
    const server = await this.within(this.accepted.next(), "onConnection");
    const serverStreams = new Inbox<StreamProbe>();
    watchStreams(server, serverStreams);
    return { client, server, clientStreams, serverStreams };
  }

  /** Opens a stream at the client and takes it at the server. */
  async open(pair: Pair, options: OpenStreamOptions & { readonly acceptorReads?: boolean } = {}): Promise<StreamPair> {
    const { acceptorReads = true, ...opening } = options;
    const opener = new StreamProbe(pair.client.openStream("conformance/1", opening));
    const acceptor = await this.within(pair.serverStreams.next(), "onStream");
    if (acceptorReads) acceptor.startReading();
    return { opener, acceptor };
  }

  /** Closes the transports; fails if a promise was rejected with nobody to see it. */
  async close(): Promise<void> {
    const { client, server, stranger, dispose } = this.fixture;
    try {
      await this.within(Promise.all([client.close(), server.close(), stranger.transport.close()]), "close of the transports");
      await this.pause(1);
    } finally {
      this.#stopWatching();
      await dispose?.();
    }
    assert.deepEqual(this.#rejections, [], "promises were rejected and nobody could see it");
  }
}
