import type { Clock, FileSystem, Scheduler, Transport } from "@octopii/interfaces";
import { DiskFileSystem } from "../disk/disk-file-system.js";
import type { PowerLossOptions, SimulatedDisk } from "../disk/simulated-disk.js";
import { TestingError } from "../errors.js";
import type { MemoryConnection } from "../memory-transport/memory-connection.js";
import { createMemoryTransport } from "../memory-transport/memory-transport.js";
import type { MemoryTransportLimits } from "../memory-transport/options.js";
import { DatagramSocket } from "../network/datagram-socket.js";
import type { SeededRandom } from "../random/seeded-random.js";
import { Lifetime, type LifetimeState } from "./lifetime.js";
import type { Machine } from "./machine.js";
import { ProcessClock } from "./machine-clock.js";
import { ProcessScheduler } from "./process-scheduler.js";
import { SimulatedStation } from "./simulated-station.js";

/**
 * One life of one process, and every port that the code in it needs. Its machine (name, disk, clock chip) outlives it: `restart` begins
 * another life there, with fresh ports.
 */
export class SimulatedProcess {
  /** The name of the machine; also its host in addresses. */
  readonly name: string;
  /** 1 for the first life on this machine, and one more for each. */
  readonly incarnation: number;
  /** Monotonic time begins with the process. */
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly fileSystem: FileSystem;
  /** The disk itself, for faults and oracles; it outlives the process. */
  readonly disk: SimulatedDisk;
  readonly datagrams: DatagramSocket;
  readonly #machine: Machine;
  readonly #lifetime: Lifetime;
  readonly #mounted: SimulatedDisk[] = [];
  #transport: Transport | null = null;

  /** Use `world.process(name)` and {@link SimulatedProcess.restart}. */
  constructor(machine: Machine) {
    const { parts } = machine;
    this.#machine = machine;
    this.name = machine.name;
    machine.starts += 1;
    this.incarnation = machine.starts;
    this.#lifetime = new Lifetime(machine.name, parts.nextPid());
    this.clock = new ProcessClock(machine.clock);
    this.scheduler = new ProcessScheduler(parts.loop, this.#lifetime, machine.clock);
    this.random = parts.random.fork(`process/${machine.name}/${this.incarnation}`);
    this.disk = machine.disk;
    this.fileSystem = new DiskFileSystem(machine.disk, this.#lifetime);
    this.datagrams = new DatagramSocket(machine.name, parts.network, parts.loop, this.#lifetime, parts.socketAt);
    machine.station = new SimulatedStation(machine.name, this.scheduler, this.clock, parts.loop, this.#lifetime);
    machine.current = this;
    this.#note("start", this.incarnation);
  }

  get state(): LifetimeState {
    return this.#lifetime.state;
  }

  /** The transport of this process; made when it is first asked for. */
  get transport(): Transport {
    this.#transport ??= this.createTransport();
    return this.#transport;
  }

  /** Another transport at this host, for code that closes one and starts anew in the same life. */
  createTransport(limits: MemoryTransportLimits = {}): Transport {
    if (this.#machine.current !== this) {
      throw new TestingError("OCTOPII_TESTING_STATE", `This life of ${this.name} is over; use the process that restart gave.`);
    }
    const { identity, identify, certificateChain, transport } = this.#machine.options;
    return createMemoryTransport(this.#machine.parts.memoryNetwork, {
      ...transport,
      ...limits,
      host: this.name,
      identity: identity ?? { name: this.name, cluster: null, nodeId: null },
      ...(identify === undefined ? {} : { identify }),
      ...(certificateChain === undefined ? {} : { certificateChain }),
    });
  }

  /** The files of another machine's disk, as on storage that two machines share by mistake. */
  mount(disk: SimulatedDisk): FileSystem {
    this.#mounted.push(disk);
    return new DiskFileSystem(disk, this.#lifetime);
  }

  /** One stream of this process, which `random` picks, is given up by its stack, both ways. False if it has none, or does not run. */
  resetStream(random: SeededRandom, code: number = 0): boolean {
    return this.#breakConnection(random, (connection) => connection.resetStream((count) => random.below(count), code));
  }

  /** Loses one connection at this end alone: the peer goes on believing in it until it hears nothing for long enough. */
  loseConnection(random: SeededRandom): boolean {
    return this.#breakConnection(random, (connection) => {
      connection.vanish();
      return true;
    });
  }

  #breakConnection(random: SeededRandom, how: (connection: MemoryConnection) => boolean): boolean {
    const connections = this.#machine.parts.memoryNetwork.connectionsAt(this.name);
    if (this.state !== "running" || connections.length === 0) return false;
    const connection = random.pick(connections);
    let done = false;
    connection.station.enter(() => {
      done = how(connection);
    });
    if (done) this.#note("break", 0);
    return done;
  }

  /** From now on the machine's clock gains `partsPerMillion` on the world, or loses if negative; for later lives too. */
  setClockRate(partsPerMillion: number): void {
    this.#machine.clock.setRate(partsPerMillion);
    this.#note("clock-rate", partsPerMillion);
  }

  /** Steps the machine's wall time, either way. */
  stepWallClock(milliseconds: number): void {
    this.#machine.clock.stepWall(milliseconds);
    this.#note("clock-step", milliseconds);
  }

  /**
   * The power fails: no callback of this process runs any more, what it had under way is gone without a word to anybody, and its disk
   * loses unsynced state. Does nothing if it is dead.
   */
  crash(options: PowerLossOptions = {}): void {
    if (!this.#end("crash")) return;
    this.disk.losePower(options);
  }

  /** The process dies and the machine lives on (`kill -9`): as {@link SimulatedProcess.crash}, but the page cache stays. */
  kill(): void {
    this.#end("kill");
  }

  /** No callback runs until `resume`; time goes on. What comes due or arrives in the meantime waits. */
  pause(): void {
    if (this.#lifetime.state !== "running") return;
    this.#lifetime.state = "paused";
    this.#note("pause", 0);
  }

  /** Ends a pause. What waited is due now, in an order that the seed decides. */
  resume(): void {
    if (this.#lifetime.state !== "paused") return;
    this.#lifetime.state = "running";
    this.#note("resume", this.#lifetime.held.length);
    const held = this.#lifetime.held;
    this.#lifetime.held = [];
    this.#machine.parts.loop.repost(held);
  }

  /** Begins another life on the same machine: same disk, same host, fresh ports. Crashes this one if it lives. */
  restart(): SimulatedProcess {
    const newest = this.#machine.current;
    if (newest !== null && newest.state !== "dead") newest.crash();
    return new SimulatedProcess(this.#machine);
  }

  #end(how: string): boolean {
    if (!this.#lifetime.alive) return false;
    this.#lifetime.state = "dead";
    this.#lifetime.held = [];
    this.#note(how, this.incarnation);
    for (const disk of [this.disk, ...this.#mounted]) disk.loseProcess(this.#lifetime);
    return true;
  }

  #note(kind: string, detail: number): void {
    const { loop } = this.#machine.parts;
    loop.trace.note(loop.now, this.name, `process:${kind}`, detail);
  }
}
