import type { Clock, Scheduler } from "@octopii/interfaces";
import { SimulatedDisk } from "../disk/simulated-disk.js";
import { TestingError } from "../errors.js";
import { MemoryNetwork } from "../memory-transport/memory-network.js";
import type { Station } from "../memory-transport/station.js";
import { SimulatedNetwork } from "../network/simulated-network.js";
import { SimulatedWire } from "../network/simulated-wire.js";
import { createRandom, type SeededRandom } from "../random/seeded-random.js";
import { EventLoop } from "./event-loop.js";
import { Lifetime } from "./lifetime.js";
import type { Machine, ProcessOptions, WorldParts } from "./machine.js";
import { MachineClock, ProcessClock } from "./machine-clock.js";
import { resolveSimulationOptions, type SimulationOptions } from "./options.js";
import { ProcessScheduler } from "./process-scheduler.js";
import { Runner } from "./runner.js";
import { SimulatedProcess } from "./simulated-process.js";
import { SimulatedStation } from "./simulated-station.js";
import { Trace } from "./trace.js";

/** How far a run may go. */
export interface RunOptions {
  /** Default 10,000,000: about a minute of real time. */
  readonly maxEvents?: number;
  /** Virtual milliseconds within which the condition must hold. Default 3,600,000, an hour. */
  readonly withinMs?: number;
}

const DEFAULT_MAX_EVENTS = 10_000_000;
const DEFAULT_WITHIN_MS = 3_600_000;
const WORLD = "world";

/**
 * A world in which only the seed decides: time, chance, disks and the network, and any number of processes that see nothing else.
 * Nothing happens in it except while one of the `run…` functions runs.
 */
export class World {
  readonly seed: string;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly trace: Trace;
  readonly #options: SimulationOptions;
  readonly #startWallTime: number;
  readonly #loop: EventLoop;
  readonly #runner: Runner;
  readonly #machines = new Map<string, Machine>();
  readonly #parts: WorldParts;
  readonly #ownClock: Clock;
  readonly #ownScheduler: Scheduler;
  #pids = 0;

  /** Use {@link createSimulation}. */
  constructor(options: SimulationOptions) {
    const config = resolveSimulationOptions(options);
    const lifetime = new Lifetime(WORLD, 0);
    this.seed = String(options.seed);
    this.#options = options;
    this.#startWallTime = config.startWallTime;
    this.random = createRandom(options.seed);
    this.trace = new Trace(options.traceSink ?? null);
    this.#loop = new EventLoop(this.random.fork("order"), this.trace, config.maxEventsPerInstant);
    this.#runner = new Runner(this.#loop, config.microtasks, this.seed);
    this.network = new SimulatedNetwork(this.#loop, this.random.fork("network"), options.network ?? {});
    const machineClock = new MachineClock(this.#loop, config.startWallTime);
    this.#ownClock = new ProcessClock(machineClock);
    this.#ownScheduler = new ProcessScheduler(this.#loop, lifetime, machineClock);
    const lifetimeOf = (station: Station): Lifetime => (station instanceof SimulatedStation ? station.lifetime : lifetime);
    const wire = new SimulatedWire(this.network, this.#loop, lifetimeOf);
    this.#parts = {
      loop: this.#loop,
      random: this.random,
      network: this.network,
      memoryNetwork: new MemoryNetwork(wire, (host) => this.#stationAt(host)),
      nextPid: () => {
        this.#pids += 1;
        return this.#pids;
      },
      socketAt: (host) => this.#machines.get(host)?.current?.datagrams ?? null,
    };
  }

  /** Virtual milliseconds since the world began. */
  now(): number {
    return this.#loop.now / 1000;
  }

  /** Events that ran so far. */
  get events(): number {
    return this.#loop.executed;
  }

  /**
   * What each living process waits for: its timers, its disk, messages on their way to it. One that goes up and up is a leak. Takes time in
   * proportion to their number.
   */
  pendingByProcess(): ReadonlyMap<string, number> {
    return this.#loop.pendingByProcess();
  }

  /** The clock of a process, or the world's own, which no fault touches. */
  clock(name?: string): Clock {
    return name === undefined ? this.#ownClock : this.process(name).clock;
  }

  /** The scheduler of a process, or the world's own, whose callbacks outlive every process: the place for faults and for checks. */
  scheduler(name?: string): Scheduler {
    return name === undefined ? this.#ownScheduler : this.process(name).scheduler;
  }

  /**
   * The newest process on the machine `name`, alive or dead; started now if there was none.
   * @param options - taken when the machine is new. @throws {TestingError} `OCTOPII_TESTING_STATE` if they come later.
   */
  process(name: string, options?: ProcessOptions): SimulatedProcess {
    const machine = this.#machines.get(name);
    if (machine?.current) {
      if (options === undefined) return machine.current;
      throw new TestingError("OCTOPII_TESTING_STATE", `Machine ${name} exists already; give its options with the first call.`);
    }
    return new SimulatedProcess(this.#addMachine(name, options ?? {}));
  }

  /** The newest process of every machine, in the order in which the machines came. */
  processes(): SimulatedProcess[] {
    return [...this.#machines.values()].flatMap((machine) => machine.current ?? []);
  }

  /** Adds a fact to the trace and its hash: what an oracle saw, what a workload did. */
  note(node: string, kind: string, detail: number | string = 0): void {
    this.trace.note(this.#loop.now, node, kind, detail);
  }

  /** The hash over everything that happened, as 16 hexadecimal digits. */
  traceHash(): string {
    return this.trace.hash();
  }

  /** Lets `milliseconds` pass. @throws as {@link World.runUntil}. */
  runFor(milliseconds: number, options: RunOptions = {}): Promise<void> {
    return this.runUntil(this.now() + milliseconds, options);
  }

  /**
   * Runs until the virtual time `goal`, or until the function `goal` gives true; it is asked before the first and after every event.
   * @throws {TestingError} `OCTOPII_TESTING_EVENT_THREW` when a callback throws, with its error as cause; `OCTOPII_TESTING_LIMIT` when
   * events or time are used up; `OCTOPII_TESTING_QUIET` when nothing is left to happen; `OCTOPII_TESTING_STANDSTILL` when time stops;
   * `OCTOPII_TESTING_STATE` when another run is going on. Every message names the seed.
   */
  async runUntil(goal: number | (() => boolean), options: RunOptions = {}): Promise<void> {
    if (typeof goal === "number") return this.#runToTime(goal, options);
    const { maxEvents = DEFAULT_MAX_EVENTS, withinMs = DEFAULT_WITHIN_MS } = options;
    const limitUs = this.#loop.now + Math.ceil(withinMs * 1000);
    const end = await this.#runner.run({ reached: goal, limitUs, maxEvents });
    if (end === "reached") return;
    if (end === "events") throw this.#limitError(`${maxEvents} events ran`);
    if (!this.#loop.idle) throw this.#limitError(`${withinMs} ms passed`);
    const message = `seed ${this.seed}: nothing is left to happen at ${this.now()} ms, and the condition does not hold.`;
    throw new TestingError("OCTOPII_TESTING_QUIET", message);
  }

  /** Runs until `promise` settles, and gives or throws what it settled with. @throws as {@link World.runUntil}. */
  async runUntilSettled<T>(promise: Promise<T>, options: RunOptions = {}): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    await this.runUntil(() => settled, options);
    return promise;
  }

  /** Runs until nothing is left to happen. For worlds without periodic timers. @throws as {@link World.runUntil}. */
  async runUntilQuiet(options: RunOptions = {}): Promise<void> {
    const { maxEvents = DEFAULT_MAX_EVENTS, withinMs = DEFAULT_WITHIN_MS } = options;
    const limitUs = this.#loop.now + Math.ceil(withinMs * 1000);
    const end = await this.#runner.run({ reached: () => false, limitUs, maxEvents });
    if (end === "events") throw this.#limitError(`${maxEvents} events ran`);
    if (!this.#loop.idle) throw this.#limitError(`${withinMs} ms passed`);
  }

  async #runToTime(timeMs: number, options: RunOptions): Promise<void> {
    if (!Number.isFinite(timeMs)) throw new RangeError(`a run ends at a finite time, not ${timeMs}`);
    const limitUs = Math.round(timeMs * 1000);
    const { maxEvents = DEFAULT_MAX_EVENTS } = options;
    const end = await this.#runner.run({ reached: () => false, limitUs, maxEvents });
    if (end === "events") throw this.#limitError(`${maxEvents} events ran`);
    this.#loop.advanceTo(limitUs);
  }

  #limitError(what: string): TestingError {
    const details = { seed: this.seed, timeMs: this.now(), events: this.events };
    const message = `seed ${this.seed}: ${what} by ${this.now()} ms, and the run is not at its end.`;
    return new TestingError("OCTOPII_TESTING_LIMIT", message, { details });
  }

  #addMachine(name: string, options: ProcessOptions): Machine {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name) || name === WORLD) {
      throw new RangeError(`a machine's name is 1 to 64 letters, digits, dots, dashes or underscores, and not "world": ${name}`);
    }
    const disk = { ...this.#options.disk, ...options.disk };
    const transport = { ...this.#options.transport, ...options.transport };
    const machine: Machine = {
      name,
      options: { ...options, transport },
      clock: new MachineClock(this.#loop, this.#startWallTime),
      disk: new SimulatedDisk(name, this.#loop, this.random.fork(`disk/${name}`), disk),
      parts: this.#parts,
      starts: 0,
      current: null,
      station: null,
    };
    this.#machines.set(name, machine);
    return machine;
  }

  #stationAt(host: string): Station {
    const station = this.#machines.get(host)?.station;
    if (station) return station;
    throw new TestingError("OCTOPII_TESTING_STATE", `There is no machine ${host}; start a process there first.`);
  }
}

/** Makes a world. @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS`, naming every problem. */
export function createSimulation(options: SimulationOptions): World {
  return new World(options);
}
