import { expect, test } from "vitest";
import { openWalrus, type Walrus } from "../src/index.js";
import { CrashDisk, seededRandom } from "./support/crash-disk.js";
import { describeLog, Model, payload } from "./support/model.js";
import { type Burst, manyTopics, raftLike } from "./support/workloads.js";

const options = { directory: "/log", segmentBytes: 4096, maxRecordBytes: 8192, maxQueuedBytes: 65536 };

interface Counts {
  crashPoints: number;
  states: number;
  torn: number;
  nested: number;
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

  async run(bursts: readonly Burst[]): Promise<void> {
    this.#disk.onIo = async (operation) => {
      if (operation !== "read") await this.#crashHere();
    };
    let log = await openWalrus(options, { fileSystem: this.#disk });
    for (const burst of bursts) {
      if (burst === "reopen") {
        await log.close();
        log = await openWalrus(options, { fileSystem: this.#disk });
        expect(log.status().recovery).toEqual({ clean: true, tornBytes: 0 });
        continue;
      }
      await Promise.all(burst.map((operations) => this.#call(log, operations)));
    }
    await log.close();
    await this.#crashHere();
  }

  async #call(log: Walrus, operations: Exclude<Burst, "reopen">[number]): Promise<void> {
    this.#model.apply(operations);
    this.#after.push(this.#model.describe());
    const number = this.#after.length - 1;
    await log.appendBatch(operations);
    expect(this.#acknowledged, "promises resolve in the order of the calls").toBe(number - 1);
    this.#acknowledged = number;
  }

  async #crashHere(): Promise<void> {
    const allowed = this.#after.slice(this.#acknowledged);
    this.counts.crashPoints++;
    await this.#killHere(this.#disk.afterKill(), allowed);
    for (const disk of this.#disk.crashes(this.#random)) {
      this.counts.states++;
      const isDeep = this.counts.states % 29 === 0;
      const found = await this.#recover(disk, isDeep);
      expectOneOf(allowed, found, "all that was acknowledged, and whole calls only");
    }
  }

  /** The process dies and the machine runs on; the next process goes on with what it sees, and then the power fails. */
  async #killHere(disk: CrashDisk, allowed: readonly string[]): Promise<void> {
    const log = await openWalrus(options, { fileSystem: disk });
    expectOneOf(allowed, await describeLog(log), "all that was acknowledged, and whole calls only");
    await log.append("after the kill", payload("x"));
    const acknowledged = await describeLog(log);
    for (const crashed of disk.crashes(this.#random)) {
      const reopened = await openWalrus(options, { fileSystem: crashed });
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
    const log = await openWalrus(options, { fileSystem: disk });
    const found = await describeLog(log);
    if (log.status().recovery.tornBytes > 0) this.counts.torn++;
    disk.onIo = null;
    again.push(...disk.crashes(this.#random, 4, 4));
    for (const second of again) {
      this.counts.nested++;
      const reopened = await openWalrus(options, { fileSystem: second });
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
    const reopened = await openWalrus(options, { fileSystem: disk });
    const expected = `${name} 1: ${Buffer.from(payload("x")).toString("hex")}`;
    expectOneOf([found === "" ? expected : `${found}\n${expected}`], await describeLog(reopened), "a recovered log goes on");
    await reopened.close();
  }
}

test.each([
  ["many topics", manyTopics],
  ["a Raft node's log", raftLike],
])("after every I/O of %s, every crash leaves a log that opens with all that was acknowledged", { timeout: 120_000 }, async (_, bursts) => {
  const enumeration = new Enumeration();
  await enumeration.run(bursts);
  const { crashPoints, states, torn, nested } = enumeration.counts;
  // The test is worth nothing if crashes were not torn, or hardly happened.
  expect(crashPoints).toBeGreaterThan(60);
  expect(states).toBeGreaterThan(400);
  expect(torn).toBeGreaterThan(50);
  expect(nested).toBeGreaterThan(states);
});
