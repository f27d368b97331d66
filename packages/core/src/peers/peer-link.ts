import type { Clock, Connection, Logger, NodeId, Random, Scheduler, Timer, Transport } from "@octopii/interfaces";
import { refusalOf } from "../identity-refusal.js";
import { Backoff, type BackoffOptions } from "./backoff.js";
import { type Greeting, sayHello } from "./greeting.js";
import { RefusalWarnings } from "./refusal-warnings.js";

/** What a {@link PeerLink} needs of its node. */
export interface LinkPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/** Who we are in a {@link PeerLink}'s greetings. */
export interface LinkSelf {
  readonly id: NodeId;
  /** Drawn when the node starts. */
  readonly life: number;
}

/** Told what becomes of a link's connections. */
export interface LinkObserver {
  /** A connection that we dialed is open: the peer may send on it from now on, before the two have agreed to use it. */
  dialed(connection: Connection): void;
  /** The link has lost the connection that it had, or the peer could not be reached. */
  disconnected(): void;
}

/** Close codes of connections between members. */
const closeCodes = { gone: 0, wrongNode: 1, superseded: 2, noAnswer: 3 };

/** How long a peer that has just shown its certificate may take to answer: an event loop that is held up longer is as good as down. */
const answerTimeoutMs = 5_000;

/** A dial, and the question that follows it. */
interface Attempt {
  readonly address: string;
  readonly abort: AbortController;
  /** Set when the dial has succeeded, and the peer was asked. */
  asked: { readonly connection: Connection; readonly timer: Timer; stop: () => void } | null;
}

/**
 * Our connection to one peer, whoever dialed it. It is dialed when somebody wants to send, kept while it lives, dialed again with growing
 * delays after a failure. Dials to different peers never wait for each other; concurrent wishes for one peer share a dial.
 *
 * Two members use one connection between them, in both directions. Before the dialer uses a new one it asks by a greeting, and the other
 * says whether this is to be the one; so nothing is ever sent on a connection that gives way. If both ask at once, the question of the
 * lower node id goes before the other. Each question has a number, and an answer tells which questions of the answerer's own it takes back:
 * that is how a question that comes late is told from that of a peer that has lost the connection without our knowing.
 */
export class PeerLink {
  readonly peerId: NodeId;
  readonly #self: LinkSelf;
  readonly #ports: LinkPorts;
  readonly #backoff: Backoff;
  readonly #observer: LinkObserver;
  readonly #warnings: RefusalWarnings;
  #address: string | null;
  #connection: Connection | null = null;
  #isDialed = false;
  #attempt: Attempt | null = null;
  #hellos = 0;
  /** The peer's word by which {@link #connection} came about. */
  #agreed: Greeting | null = null;
  #closed = false;

  /** @param address - null for a peer that may come to us, but whose address we have not learned. */
  constructor(peerId: NodeId, address: string | null, self: LinkSelf, ports: LinkPorts, backoff: BackoffOptions, observer: LinkObserver) {
    this.peerId = peerId;
    this.#address = address;
    this.#self = self;
    this.#ports = ports;
    this.#backoff = new Backoff(backoff, ports.scheduler, ports.random);
    this.#observer = observer;
    this.#warnings = new RefusalWarnings(ports.logger, peerId);
  }

  /** The connection, if there is one now. If not, this call starts to make one. */
  get connection(): Connection | null {
    this.dial();
    return this.#connection;
  }

  /** There is neither a connection nor an address to dial. */
  get isUnused(): boolean {
    return this.#connection === null && this.#address === null;
  }

  /** Starts to make a connection if there is none, and none is being made. */
  dial(): void {
    const address = this.#address;
    if (this.#closed || this.#connection !== null || this.#attempt !== null || this.#backoff.isPaused || address === null) return;
    const attempt: Attempt = { address, abort: new AbortController(), asked: null };
    this.#attempt = attempt;
    this.#ports.transport.connect(address, { signal: attempt.abort.signal }).then(
      (connection) => this.#dialed(attempt, connection),
      (error: unknown) => this.#failed(attempt, error),
    );
  }

  /** The peer is to be reached there from now on, or nowhere. A connection that it made to us itself stays. */
  moveTo(address: string | null): void {
    if (address === this.#address) return;
    this.#address = address;
    this.#withdraw(closeCodes.gone, "the member has another address");
    this.#backoff.reset();
    const connection = this.#connection;
    if (connection === null || !this.#isDialed) return;
    this.#forget();
    connection.close(closeCodes.gone, "the member has another address");
    this.#observer.disconnected();
  }

  /** The peer dialed us, and asks for that connection to be the one. @returns our answer. */
  take(connection: Connection, hello: Greeting): Greeting {
    if (!this.#givesWayTo(connection, hello)) return this.#greeting("yield");
    this.#withdraw(closeCodes.superseded, "the peer's own connection is used");
    this.#backoff.end();
    const old = this.#connection;
    this.#settle(connection, false, hello);
    if (old !== null) {
      // The peer would not have asked if it still had this one: what was on its way there is lost.
      old.close(closeCodes.superseded, "the peer has made another connection");
      this.#observer.disconnected();
    }
    return this.#greeting("accept");
  }

  close(): void {
    this.#closed = true;
    this.#backoff.end();
    this.#withdraw(closeCodes.gone, "the node closes");
    this.#connection?.close(closeCodes.gone, "the node closes");
  }

  #givesWayTo(connection: Connection, { life, hellos }: Greeting): boolean {
    if (this.#closed || connection === this.#connection) return false;
    const agreed = this.#agreed;
    if (agreed?.life === life && hellos <= agreed.hellos) return false;
    const hasAsked = this.#attempt !== null && this.#attempt.asked !== null;
    return !(hasAsked && this.#self.id < this.peerId);
  }

  #dialed(attempt: Attempt, connection: Connection): void {
    if (attempt !== this.#attempt) return connection.close(closeCodes.superseded, "the dial was given up");
    const { name, nodeId } = connection.peer;
    if (nodeId !== this.peerId) {
      connection.close(closeCodes.wrongNode, `expected node ${this.peerId} at ${attempt.address}, found ${name}`);
      this.#warnings.wrongNode(attempt.address, name);
      return this.#unreached();
    }
    this.#warnings.clear();
    this.#observer.dialed(connection);
    this.#ask(attempt, connection);
  }

  #ask(attempt: Attempt, connection: Connection): void {
    this.#hellos += 1;
    const noAnswer = (): void => this.#answered(attempt, connection, null);
    const asked = { connection, timer: this.#ports.scheduler.setTimer(answerTimeoutMs, noAnswer), stop: (): void => undefined };
    attempt.asked = asked;
    try {
      asked.stop = sayHello(connection, this.#greeting("hello"), (answer) => this.#answered(attempt, connection, answer));
    } catch {
      // It was closed in this very moment.
      noAnswer();
    }
  }

  #answered(attempt: Attempt, connection: Connection, answer: Greeting | null): void {
    if (attempt !== this.#attempt) return;
    if (answer?.kind === "accept") {
      attempt.asked?.timer.cancel();
      this.#attempt = null;
      return this.#settle(connection, true, answer);
    }
    if (answer === null) {
      this.#withdraw(closeCodes.noAnswer, "the peer did not say whether to use this connection");
      this.#ports.logger.debug({ peer: this.peerId }, "A peer was reached, but did not answer.");
      return this.#unreached();
    }
    // No failure: the peer is about to give us a connection of its own. Should it not, we ask again after the pause.
    this.#withdraw(closeCodes.superseded, "the peer's own connection is used");
    this.#backoff.pause();
  }

  #settle(connection: Connection, isDialed: boolean, word: Greeting): void {
    this.#connection = connection;
    this.#isDialed = isDialed;
    this.#agreed = word;
    this.#warnings.clear();
    const openedAt = this.#ports.clock.now();
    void connection.closed.then((close) => {
      if (connection !== this.#connection) return;
      this.#ports.logger.debug({ peer: this.peerId, ...close }, "The connection to a peer was closed.");
      this.#forget();
      if (!this.#closed) this.#backoff.lost(this.#ports.clock.now() - openedAt);
      this.#observer.disconnected();
    });
  }

  #forget(): void {
    this.#connection = null;
    this.#isDialed = false;
    this.#agreed = null;
  }

  /** Gives the attempt up that is under way, if one is. */
  #withdraw(code: number, reason: string): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    attempt.abort.abort();
    attempt.asked?.timer.cancel();
    attempt.asked?.stop();
    attempt.asked?.connection.close(code, reason);
  }

  #failed(attempt: Attempt, error: unknown): void {
    if (attempt !== this.#attempt) return;
    const { address } = attempt;
    const refusal = refusalOf(error);
    if (refusal === null) this.#ports.logger.debug({ peer: this.peerId, address, error }, "A peer could not be reached.");
    else this.#warnings.refused(address, refusal);
    this.#unreached();
  }

  #unreached(): void {
    this.#attempt = null;
    this.#backoff.pause();
    this.#observer.disconnected();
  }

  #greeting(kind: Greeting["kind"]): Greeting {
    return { kind, life: this.#self.life, hellos: this.#hellos };
  }
}
