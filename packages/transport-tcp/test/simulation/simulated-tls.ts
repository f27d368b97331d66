import { X509Certificate } from "node:crypto";
import type { Clock, Scheduler } from "@octopii/interfaces";
import type { SeededRandom } from "@octopii/testing";
import { formatAddress } from "../../src/address.js";
import type { TlsContext, TlsFailure, TlsListen, TlsServer, TlsSocket, TlsSockets } from "../../src/ports.js";

/** How a network in which nothing is lost treats what is sent. */
export interface Conditions {
  readonly meanDelayMs: number;
  /** One in so many pieces takes thirty times as long, and holds up all behind it: less than a closed connection waits for its last word. */
  readonly stallOneIn: number;
  /** One in so many pieces comes in two. */
  readonly cutOneIn: number;
}

interface Machine {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

const bufferBytes = 128 * 1024;
const writesMax = 4;
const firstFreePort = 49_152;
const resetFailure: TlsFailure = { refused: false, code: "ECONNRESET", message: "the connection was reset", cause: new Error("reset") };
const refusedFailure: TlsFailure = { refused: false, code: "ECONNREFUSED", message: "nobody listens", cause: new Error("refused") };

/** One direction of a connection: what goes in comes out at the other end, later and in order. */
class Pipe {
  readonly #machine: Machine;
  readonly #random: SeededRandom;
  readonly #conditions: Conditions;
  #items: (() => void)[] = [];
  #isRunning = false;

  /** @param machine - where it comes out. */
  constructor(machine: Machine, random: SeededRandom, conditions: Conditions) {
    this.#machine = machine;
    this.#random = random;
    this.#conditions = conditions;
  }

  push(item: () => void): void {
    this.#items.push(item);
    if (!this.#isRunning) this.#run();
  }

  clear(): void {
    this.#items = [];
  }

  #run(): void {
    this.#isRunning = true;
    const { meanDelayMs, stallOneIn } = this.#conditions;
    const stall = this.#random.chance(1, stallOneIn) ? 30 : 1;
    this.#machine.scheduler.setTimer(0.05 + this.#random.exponential(meanDelayMs) * stall, () => {
      this.#items.shift()?.();
      if (this.#items.length > 0) this.#run();
      else this.#isRunning = false;
    });
  }
}

class SimulatedTlsSocket implements TlsSocket {
  readonly remoteAddress: string;
  onSecure: TlsSocket["onSecure"] = null;
  onDrain: TlsSocket["onDrain"] = null;
  onData: TlsSocket["onData"] = null;
  onClose: TlsSocket["onClose"] = null;
  /** To the other end. */
  readonly pipe: Pipe;
  readonly #machine: Machine;
  readonly #random: SeededRandom;
  readonly #conditions: Conditions;
  readonly #context: TlsContext;
  #peer: SimulatedTlsSocket | null = null;
  #writes = 0;
  #wantsDrain = false;
  #hasEnded = false;
  #peerHasEnded = false;
  #isGone = false;

  constructor(remoteAddress: string, context: TlsContext, machine: Machine, pipe: Pipe, random: SeededRandom, conditions: Conditions) {
    this.remoteAddress = remoteAddress;
    this.pipe = pipe;
    this.#context = context;
    this.#machine = machine;
    this.#random = random;
    this.#conditions = conditions;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  meet(peer: SimulatedTlsSocket): void {
    this.#peer = peer;
  }

  peerChain(): readonly Uint8Array[] {
    const peer = this.#peer;
    return peer === null ? [] : [new Uint8Array(new X509Certificate(peer.#context.settings.certificate).raw)];
  }

  take(): Uint8Array | null {
    if (this.#writes < writesMax) return new Uint8Array(bufferBytes);
    this.#wantsDrain = true;
    return null;
  }

  giveBack(): void {
    // Every buffer is new.
  }

  send(buffer: Uint8Array, length: number): void {
    if (this.#hasEnded || this.#isGone) return;
    this.#writes += 1;
    const bytes = buffer.slice(0, length);
    const cut = length > 1 && this.#random.chance(1, this.#conditions.cutOneIn) ? this.#random.between(1, length - 1) : length;
    for (const piece of [bytes.slice(0, cut), bytes.slice(cut)]) {
      if (piece.length > 0) this.pipe.push(() => this.#peer?.receive(piece));
    }
    this.pipe.push(() => this.#written());
  }

  end(): void {
    if (this.#hasEnded || this.#isGone) return;
    this.#hasEnded = true;
    this.pipe.push(() => this.#peer?.receiveEnd());
    this.#checkOver();
  }

  destroy(): void {
    if (this.#isGone) return;
    this.pipe.clear();
    this.pipe.push(() => this.#peer?.lose(resetFailure));
    this.lose(null);
  }

  lose(failure: TlsFailure | null): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#machine.scheduler.nextTurn(() => this.onClose?.(failure));
  }

  receive(bytes: Uint8Array): void {
    if (!this.#isGone) this.onData?.(bytes);
  }

  #written(): void {
    this.#machine.scheduler.nextTurn(() => {
      this.#writes -= 1;
      if (!this.#wantsDrain || this.#isGone) return;
      this.#wantsDrain = false;
      this.onDrain?.();
    });
  }

  /** As Node.js does it: an end is answered by an end. */
  receiveEnd(): void {
    this.#peerHasEnded = true;
    this.end();
    this.#checkOver();
  }

  #checkOver(): void {
    if (this.#hasEnded && this.#peerHasEnded) this.lose(null);
  }
}

/** The TCP of a simulated world. */
export class SimulatedTls {
  readonly #random: SeededRandom;
  readonly #conditions: Conditions;
  readonly #listeners = new Map<string, { readonly listen: TlsListen; readonly machine: Machine }>();
  #nextPort = firstFreePort;

  constructor(random: SeededRandom, conditions: Conditions) {
    this.#random = random;
    this.#conditions = conditions;
  }

  /** The sockets of one machine. */
  at(machine: Machine, ownHost: string): TlsSockets {
    return {
      createContext: (settings) => ({ settings }),
      connect: ({ host, port, context }) => {
        const there = formatAddress(host, port);
        const toPeer = (to: Machine): Pipe => new Pipe(to, this.#random, this.#conditions);
        const listener = this.#listeners.get(there);
        const client = new SimulatedTlsSocket(
          there,
          context,
          machine,
          toPeer(listener?.machine ?? machine),
          this.#random,
          this.#conditions,
        );
        if (listener === undefined) {
          // Who is there but does not listen says so; others never say a word.
          if (host !== "nobody") client.pipe.push(() => client.lose(refusedFailure));
          return client;
        }
        const here = formatAddress(ownHost, this.#nextPort++);
        client.pipe.push(() => this.#accept(there, here, client, toPeer(machine)));
        return client;
      },
      listen: (listen) => this.#open(listen, machine),
    };
  }

  async #open(listen: TlsListen, machine: Machine): Promise<TlsServer> {
    const port = listen.port === 0 ? this.#nextPort++ : listen.port;
    const address = formatAddress(listen.host, port);
    if (this.#listeners.has(address)) throw Object.assign(new Error(`${address} is in use`), { code: "EADDRINUSE" });
    this.#listeners.set(address, { listen, machine });
    return { host: listen.host, port, close: async () => void this.#listeners.delete(address) };
  }

  #accept(there: string, here: string, client: SimulatedTlsSocket, pipe: Pipe): void {
    const listener = this.#listeners.get(there);
    if (listener === undefined) return client.lose(refusedFailure);
    const { listen, machine } = listener;
    const server = new SimulatedTlsSocket(here, listen.context(), machine, pipe, this.#random, this.#conditions);
    server.meet(client);
    client.meet(server);
    listen.onSocket(server);
    pipe.push(() => {
      if (client.isGone || server.isGone) return;
      client.pipe.push(() => {
        if (!server.isGone) server.onSecure?.(null);
      });
      client.onSecure?.(null);
    });
  }
}
