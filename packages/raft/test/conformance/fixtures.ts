import type { Scheduler } from "@octopii/interfaces";
import {
  type ConformanceCase,
  createMemoryLogStorage,
  createMemorySnapshotStorage,
  encodeKeyValueCommand,
  type LogStorageFixture,
  type SnapshotStorageFixture,
} from "../../src/conformance/index.js";
import type { LogStorage, SnapshotStorage } from "../../src/index.js";

/** Promise jobs in a write. */
const jobsPerWrite = 4;

/** Time that passes as soon as nobody computes. */
export const promiseScheduler: Scheduler = {
  setTimer: (_delayMs, callback) => {
    let isCancelled = false;
    void jobs(jobsPerWrite).then(() => (isCancelled ? undefined : callback()));
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  },
  nextTurn: (callback) => void jobs(1).then(callback),
};

/** Waits for so many promise jobs. */
export async function jobs(count: number): Promise<void> {
  for (let job = 0; job < count; job++) await Promise.resolve();
}

/** Spoils a storage, or leaves it as it is. */
export type Spoil<Port> = (port: Port) => Port;

/** A log in memory; `spoil` is done to what is opened, also after a crash. */
export function logFixture(scheduler: Scheduler | null, spoil: Spoil<LogStorage> = (storage) => storage): LogStorageFixture {
  let storage = createMemoryLogStorage(scheduler === null ? {} : { scheduler });
  return {
    storage: spoil(storage),
    crash: async () => {
      storage = storage.crash();
      return spoil(storage);
    },
    failWrites: () => storage.fail(new Error("EIO")),
    damage: async () => storage.damage(0),
  };
}

export function snapshotFixture(spoil: Spoil<SnapshotStorage> = (storage) => storage): SnapshotStorageFixture {
  let storage = createMemorySnapshotStorage();
  return {
    storage: spoil(storage),
    crash: async () => {
      storage = storage.crash();
      return spoil(storage);
    },
    damage: async (group, index) => storage.damage(group, index),
  };
}

/** A history that sets, asks, removes, and says nonsense. */
export const historyOfKeys: readonly Uint8Array[] = [
  ...[1, 2, 3, 4, 5].map((at) => encodeKeyValueCommand({ key: `key ${at}`, value: `value ${at}` })),
  encodeKeyValueCommand({ key: "schlüssel", value: "größer als zwei Zeichen: 𝛼\n" }),
  encodeKeyValueCommand({ key: "key 2", value: null }),
  encodeKeyValueCommand({ key: "key 3", value: "another" }),
  new Uint8Array([0xff, 0x00]),
  encodeKeyValueCommand({ key: "key 6", value: "" }),
  ...[1, 2, 3, 6].map((at) => encodeKeyValueCommand({ key: `key ${at}` })),
  encodeKeyValueCommand({ key: "schlüssel" }),
];

const titleOf = ({ name }: ConformanceCase): string => name.slice(name.indexOf(": ") + 2);

/** The cases that fail, without the name of the implementation. */
export async function failuresOf(cases: readonly ConformanceCase[]): Promise<string[]> {
  const failed: string[] = [];
  for (const one of cases) await one.run().catch(() => failed.push(titleOf(one)));
  return failed;
}

/** Runs the one case. @returns what it says of the implementation, or null if it found nothing. */
export async function verdictOf(cases: readonly ConformanceCase[], title: string): Promise<Error | null> {
  const [found] = cases.filter((one) => titleOf(one) === title);
  if (found === undefined) throw new RangeError(`there is no case "${title}"`);
  return found.run().then(
    () => null,
    (error: Error) => error,
  );
}
