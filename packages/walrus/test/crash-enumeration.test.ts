import { expect, test } from "vitest";
import { type BatchOperation, openWalrus, type Walrus, type WalrusOptions } from "../src/index.js";
import { CrashDisk, seededRandom } from "./support/crash-disk.js";
import { describeLog, Model, payload } from "./support/model.js";
import { type Burst, type Consumption, consumers, manyTopics, oneWriter, raftLike, relaxed, slowAndBusy } from "./support/workloads.js";

const base = { directory: "/log", segmentBytes: 4096, maxRecordBytes: 8192, maxQueuedBytes: 65536, fillAheadBytes: 1024 };

/** So many unsynced changes are combined in every way; of more, so many combinations are drawn, and all prefixes taken. */
const [combined, drawn] = process.env.OCTOPII_TEST_LONG === "1" ? [8, 256] : [5, 24];

interface Counts {
  crashPoints: number;
  states: number;
  torn: number;
  nested: number;
}

function isConsumption(burst: Burst): burst is Consumption {
  return typeof burst === "object" && "cursor" in burst;
}

/** As an assertion, but cheap enough for tens of thousands of calls. */
function expectOneOf(allowed: readonly string[], found: string, what: string): void {
  if (!allowed.includes(found)) expect.fail(`${what}; found:\n${found}\nallowed:\n${allowed.join("\nor:\n")}`);
}

/** Runs a workload and crashes it after every I/O, in every way. */
class Enumeration {
  readonly #random = seededRandom(7);
  readonly #disk = new CrashDisk();
  readonly #model = new Model();
  /** What the log may hold after each call. */
  readonly #after: string[] = [""];
  #acknowledged = 0;
  readonly counts: Counts = { crashPoints: 0, states: 0, torn: 0, nested: 0 };
  readonly #options: WalrusOptions;
  /** How many calls were made; under a relaxed policy they count as acknowledged with the next barrier. */
  #made = 0;

  constructor(options: Partial<WalrusOptions>) {
    this.#options = { ...base, ...options };
  }

  async run(bursts: readonly Burst[]): Promise<void> {
    this.#disk.onIo = async (operation) => {
      if (operation !== "read") await this.#crashHere();
    };
    let log = await openWalrus(this.#options, { fileSystem: this.#disk });
    for (const burst of bursts) {
      if (burst === "flush") {
        await log.flush();
        this.#acknowledged = this.#made;
        continue;
      }
      if (isConsumption(burst)) {
        await this.#consume(log, burst);
        continue;
      }
      if (burst === "reopen") {
        await log.close();
        this.#acknowledged = this.#made;
        log = await openWalrus(this.#options, { fileSystem: this.#disk });
        expect(log.status().recovery).toEqual({ clean: true, tornBytes: 0 });
        continue;
      }
      await Promise.all(burst.map((operations) => this.#call(log, operations)));
    }
    await log.close();
    this.#acknowledged = this.#made;
    await this.#crashHere();
  }

  async #consume(log: Walrus, { topic, cursor: name, count }: Consumption): Promise<void> {
    const cursor = log.cursor(topic, name);
    const due = await cursor.peek({ maxEntries: count });
    const position = (due.at(-1)?.index ?? cursor.position - 1) + 1;
    this.#model.move({ topic, cursor: name, position });
    this.#after.push(this.#model.describe());
    const number = this.#after.length - 1;
    expect(await cursor.consume({ maxEntries: count })).toEqual(due);
    this.#made = number;
    this.#acknowledged = number;
    expect(cursor.position).toBe(position);
  }

  async #call(log: Walrus, operations: readonly BatchOperation[]): Promise<void> {
    this.#model.apply(operations);
    this.#after.push(this.#model.describe());
    const number = this.#after.length - 1;
    await log.appendBatch(operations);
    expect(this.#made, "promises resolve in the order of the calls").toBe(number - 1);
    this.#made = number;
    if (this.#options.flush === undefined) this.#acknowledged = number;
  }

  async #crashHere(): Promise<void> {
    const allowed = this.#after.slice(this.#acknowledged);
    this.counts.crashPoints++;
    // All at once: the log fills its file ahead meanwhile, and its disk changes.
    const crashed = this.#disk.crashes(this.#random, combined, drawn);
    await this.#killHere(this.#disk.afterKill(), allowed);
    for (const disk of crashed) {
      this.counts.states++;
      const isDeep = this.counts.states % 29 === 0;
      const found = await this.#recover(disk, isDeep);
      expectOneOf(allowed, found, "all that was acknowledged, and whole calls only");
    }
  }

  /** The process dies and the machine runs on; the next process goes on with what it sees, and then the power fails. */
  async #killHere(disk: CrashDisk, allowed: readonly string[]): Promise<void> {
    const log = await openWalrus(this.#options, { fileSystem: disk });
    expectOneOf(allowed, await describeLog(log), "all that was acknowledged, and whole calls only");
    await log.append("after the kill", payload("x"), { flush: true });
    const acknowledged = await describeLog(log);
    for (const crashed of disk.crashes(this.#random, 4, 6)) {
      const reopened = await openWalrus(this.#options, { fileSystem: crashed });
      expectOneOf([acknowledged], await describeLog(reopened), "what a second process saw and added survives the power");
    }
  }

  /** Opens what a crash left, crashes that too, and checks that all agree; gives what is there. */
  async #recover(disk: CrashDisk, isDeep: boolean): Promise<string> {
    const again: CrashDisk[] = [];
    if (isDeep) {
      disk.onIo = async (operation) => {
        if (operation !== "read") again.push(...disk.crashes(this.#random, 4, 8));
      };
    }
    const log = await openWalrus(this.#options, { fileSystem: disk });
    const found = await describeLog(log);
    if (log.status().recovery.tornBytes > 0) this.counts.torn++;
    disk.onIo = null;
    again.push(...disk.crashes(this.#random, 4, 4));
    for (const second of again) {
      this.counts.nested++;
      const reopened = await openWalrus(this.#options, { fileSystem: second });
      expectOneOf([found], await describeLog(reopened), "recovering a recovery changes nothing");
      await this.#goOn(reopened, second, found);
    }
    return found;
  }

  /** A recovered log takes appends, closes, and has them when it is opened again. */
  async #goOn(log: Walrus, disk: CrashDisk, found: string): Promise<void> {
    const name = `new ${this.counts.nested}`;
    expect(await log.append(name, payload("x"))).toBe(1);
    await log.close();
    const reopened = await openWalrus(this.#options, { fileSystem: disk });
    const expected = `${name} 1: ${Buffer.from(payload("x")).toString("hex")}`;
    expectOneOf([found === "" ? expected : `${found}\n${expected}`], await describeLog(reopened), "a recovered log goes on");
    await reopened.close();
  }
}

const workloads: readonly [string, readonly Burst[], Partial<WalrusOptions>][] = [
  ["many topics", manyTopics, {}],
  ["a Raft node's log", raftLike, {}],
  ["a slow topic beside a busy one", slowAndBusy, {}],
  ["two consumers", consumers, {}],
  ["a log that is flushed by barriers", relaxed, { flush: "never" }],
  ["one writer", oneWriter, {}],
];

test.each(workloads)(
  "after every I/O of %s, every crash leaves a log that opens with all that was acknowledged",
  {
    timeout: 1_800_000,
  },
  async (_, bursts, options) => {
    const enumeration = new Enumeration(options);
    await enumeration.run(bursts);
    const { crashPoints, states, torn, nested } = enumeration.counts;
    // The test is worth nothing if crashes were not torn, or hardly happened.
    expect(crashPoints).toBeGreaterThan(40);
    expect(states).toBeGreaterThan(400);
    expect(torn).toBeGreaterThan(30);
    expect(nested).toBeGreaterThan(states / 2);
  },
);
