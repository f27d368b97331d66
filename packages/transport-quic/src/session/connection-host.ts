import type { Clock, ConnectionClose, Logger, Scheduler } from "@octopii/interfaces";
import type { QuicTransportConfig } from "../options.js";
import type { UdpSocket } from "../ports.js";
import type { QuicConnection } from "./quic-connection.js";
import type { RefusalLog } from "./refusal-log.js";

/** What a connection needs from its endpoint. */
export interface ConnectionHost {
  readonly config: QuicTransportConfig;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly refusals: RefusalLog;
  readonly socket: UdpSocket;
  /** Has the connection processed and flushed in this turn or the next. */
  wake(connection: QuicConnection): void;
  /** The peer was identified, and the connection can be used; for one that we dialed, only when the peer has accepted us too. */
  opened(connection: QuicConnection): void;
  /** The connection is over. `lastDatagram` tells the peer so; null where the peer said it first. */
  gone(connection: QuicConnection, close: ConnectionClose, lastDatagram: Uint8Array | null): void;
}

/** Where a connection is at the other end, and which side it is of. */
export interface ConnectionPlace {
  readonly accepted: boolean;
  readonly key: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly remoteAddress: string;
}
