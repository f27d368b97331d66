import { execFileSync, spawnSync } from "node:child_process";
import { close, constants, fdatasyncSync, openSync, rmSync, write, writeSync } from "node:fs";

/** What the disk gives without any log, measured on the same file system in the same run. */
const blockBytes = 256;

function zeroFilled(path: string, bytes: number, flags: number): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | flags, 0o644);
  writeSync(descriptor, new Uint8Array(bytes));
  fdatasyncSync(descriptor);
  return descriptor;
}

/** Flushed writes per second of a loop of asynchronous writes on an `O_DSYNC` descriptor, one at a time, over a zero-filled file. */
export async function bareAsynchronousLoop(directory: string, milliseconds: number): Promise<number> {
  const path = `${directory}/bare`;
  const fileBytes = 4 * 1024 * 1024;
  const descriptor = zeroFilled(path, fileBytes, constants.O_DSYNC);
  const block = new Uint8Array(blockBytes).fill(7);
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < milliseconds) {
    const position = (count * blockBytes) % fileBytes;
    await new Promise<void>((resolve, reject) => {
      write(descriptor, block, 0, blockBytes, position, (error) => (error === null ? resolve() : reject(error)));
    });
    count++;
  }
  const rate = (count / (performance.now() - start)) * 1000;
  await new Promise<void>((resolve) => void close(descriptor, () => resolve()));
  rmSync(path);
  return rate;
}

/** What fio says of one job; null where fio is not installed. */
export interface FioResult {
  readonly perSecond: number;
  readonly p999Microseconds: number;
}

/** Writes of 256 bytes, each followed by fdatasync, as fio does them: the rate, and the 99.9th percentile of write and sync together. */
export function fioWriteAndSync(directory: string, seconds: number): FioResult | null {
  if (spawnSync("fio", ["--version"]).status !== 0) return null;
  const output = execFileSync(
    "fio",
    [
      "--name=w",
      "--rw=write",
      "--ioengine=sync",
      "--fdatasync=1",
      `--bs=${blockBytes}`,
      "--size=4m",
      "--overwrite=1",
      "--time_based=1",
      `--runtime=${seconds}`,
      `--directory=${directory}`,
      "--output-format=json",
    ],
    { encoding: "utf8" },
  );
  const [job] = (JSON.parse(output) as { jobs: readonly FioJob[] }).jobs;
  rmSync(`${directory}/w.0.0`, { force: true });
  if (job === undefined) return null;
  return { perSecond: job.write.iops, p999Microseconds: (job.sync.lat_ns.percentile?.["99.900000"] ?? Number.NaN) / 1000 };
}

interface FioJob {
  readonly write: { readonly iops: number };
  readonly sync: { readonly lat_ns: { readonly percentile?: Readonly<Record<string, number>> } };
}
