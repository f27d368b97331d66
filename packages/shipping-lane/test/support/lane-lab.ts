import { createHash } from "node:crypto";
import type { Connection, Logger, Stream } from "@octopii/interfaces";
import {
  createManualTime,
  createMemoryNetwork,
  createMemoryTransport,
  createSimulation,
  type ManualTime,
  type MemoryTransportLimits,
  type SimulatedDisk,
  type SimulatedProcess,
  type World,
} from "@octopii/testing";
import { createShippingLane, type OfferHandler, type ShippingLane, type ShippingLaneOptions } from "../../src/index.js";

/** Bytes that differ from place to place, and from those of another seed. */
export function content(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0, state = seed * 2_654_435_761; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What bytes are told apart by, quickly. */
export function print(bytes: Uint8Array | null | undefined): string {
  return bytes === null || bytes === undefined ? "none" : `${bytes.length}:${sha256(bytes)}`;
}

export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

/** A logger that keeps its warnings. */
function noting(warnings: string[]): Logger {
  const nothing = (): void => undefined;
  const note = (_fields: object, message: string): number => warnings.push(message);
  return { trace: nothing, debug: nothing, info: nothing, warn: note, error: note } as Logger;
}

/** Sees, and may change, each piece that a stream writes. */
export type Tamper = (bytes: Uint8Array, index: number, stream: Stream) => Uint8Array;

/** A connection whose streams are tampered with on the way out. */
export function tampered(connection: Connection, tamper: Tamper, isCut: () => boolean = () => false): Connection {
  return new Proxy(connection, {
    get: (target, property) => {
      if (property !== "openStream") {
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (protocol: string): Stream => tamperedStream(target.openStream(protocol), tamper, isCut);
    },
  });
}

/** @param isCut - whether the stream's end must not get through any more. */
function tamperedStream(stream: Stream, tamper: Tamper, isCut: () => boolean = () => false): Stream {
  let index = 0;
  return new Proxy(stream, {
    get: (target, property) => {
      if (property === "write") return (bytes: Uint8Array): boolean => target.write(tamper(bytes, index++, target));
      if (property === "end" && isCut()) return (): void => undefined;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, property, value) => Reflect.set(target, property, value, target),
  });
}

/** Two machines of a simulated world, `a` and `b`, each with a disk and a lane; `b` listens. */
export class LaneLab {
  readonly world: World;
  readonly warnings: string[] = [];
  readonly options: ShippingLaneOptions;
  a: SimulatedProcess;
  b: SimulatedProcess;
  sender: ShippingLane;
  receiver: ShippingLane;
  /** What tampers with the streams that `b` accepts. */
  answerTamper: Tamper | null = null;
  /** `b`'s ends of connections, oldest first. */
  readonly accepted: Connection[] = [];

  constructor(seed: number | string = 1, options: ShippingLaneOptions = {}) {
    this.options = options;
    this.world = createSimulation({ seed });
    this.a = this.world.process("a");
    this.b = this.world.process("b");
    this.sender = this.lane(this.a);
    this.receiver = this.lane(this.b);
  }

  static async open(seed: number | string = 1, options: ShippingLaneOptions = {}): Promise<LaneLab> {
    const lab = new LaneLab(seed, options);
    await lab.wait(lab.a.fileSystem.makeDirectory("/out"));
    await lab.wait(lab.b.fileSystem.makeDirectory("/in"));
    await lab.wait(lab.b.fileSystem.syncDirectory("/"));
    await lab.listen();
    lab.receiver.onOffer = saveAll;
    return lab;
  }

  get disk(): SimulatedDisk {
    return this.b.disk;
  }

  lane(process: SimulatedProcess): ShippingLane {
    const { fileSystem, clock, scheduler, random } = process;
    return createShippingLane({ fileSystem, clock, scheduler, random, logger: noting(this.warnings) }, this.options);
  }

  async listen(): Promise<void> {
    const onConnection = (connection: Connection): void => {
      this.accepted.push(connection);
      connection.onStream = (stream) => {
        const seen = this.answerTamper === null ? stream : tamperedStream(stream, this.answerTamper);
        this.receiver.acceptStream(seen, connection);
      };
    };
    await this.wait(this.b.transport.listen({ address: "b:7000", onConnection }));
  }

  wait<Value>(work: Promise<Value>): Promise<Value> {
    return this.world.runUntilSettled(work);
  }

  connect(process: SimulatedProcess = this.a): Promise<Connection> {
    return this.wait(process.transport.connect("b:7000"));
  }

  /** Writes a file on `a`. */
  async put(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.wait(this.a.fileSystem.open(path, { mode: "create" }));
    await this.wait(file.write([bytes], 0));
    await this.wait(file.sync());
    await this.wait(file.close());
  }

  /** The names in `b`'s inbox, as processes see them. */
  names(): Promise<string[]> {
    return this.wait(this.b.fileSystem.readDirectory("/in"));
  }

  cached(path: string): Uint8Array | null {
    return this.disk.readCached(path);
  }

  /** Power is lost at `b`, or with `null` only its process is killed; it starts again, with a lane and a listener. */
  async restart(loss: Parameters<SimulatedProcess["crash"]>[0] | null): Promise<void> {
    if (loss === null) this.b.kill();
    else this.b.crash(loss);
    this.b = this.b.restart();
    this.receiver = this.lane(this.b);
    this.receiver.onOffer = saveAll;
    await this.listen();
  }
}

/** Saves everything into `/in`, and leaves errors to the lane. */
const saveAll: OfferHandler = async (offer) => {
  await offer.saveTo(`/in/${offer.name}`);
};

/** A lane on each side of a connection in memory, and time that a test moves by hand. */
export class Pair {
  readonly time: ManualTime = createManualTime();
  readonly warnings: string[] = [];
  readonly sender: ShippingLane;
  readonly receiver: ShippingLane;
  readonly accepted: Connection[] = [];
  readonly #network = createMemoryNetwork(this.time.scheduler, this.time.clock);
  readonly #limits: MemoryTransportLimits;
  #address = "";

  constructor(options: ShippingLaneOptions = {}, limits: MemoryTransportLimits = {}) {
    this.#limits = limits;
    const ports = { clock: this.time.clock, scheduler: this.time.scheduler, logger: noting(this.warnings) };
    this.sender = createShippingLane(ports, options);
    this.receiver = createShippingLane(ports, options);
  }

  static async open(options: ShippingLaneOptions = {}, limits: MemoryTransportLimits = {}): Promise<Pair> {
    const pair = new Pair(options, limits);
    const onConnection = (connection: Connection): void => {
      pair.accepted.push(connection);
      connection.onStream = (stream) => void pair.receiver.acceptStream(stream, connection);
    };
    pair.#address = (await pair.#transport("receiver").listen({ address: "localhost:0", onConnection })).address;
    return pair;
  }

  connect(name = "sender"): Promise<Connection> {
    return this.settle(this.#transport(name).connect(this.#address));
  }

  /** Lets everything happen that can without time going on, until `work` settles. */
  async settle<Value>(work: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    work.then(settled, settled);
    for (let quiet = 0; !isSettled; quiet += 1) {
      if (quiet > 200_000) throw new Error("Nothing happens any more.");
      await this.step();
    }
    return work;
  }

  async rest(): Promise<void> {
    for (let i = 0; i < 60; i++) await this.step();
  }

  async step(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.time.advance(0);
  }

  #transport(name: string) {
    return createMemoryTransport(this.#network, { identity: { name, cluster: "test", nodeId: null }, ...this.#limits });
  }
}
