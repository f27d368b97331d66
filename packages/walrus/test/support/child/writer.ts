/**
 * A process that appends to a log until it is killed. Eight writers share one flush; every acknowledgement goes to standard output, in
 * one system call, before the next append of that writer. Arguments: the directory.
 */
import { writeSync } from "node:fs";
import { openWalrus } from "../../../src/index.js";
import { entryOf } from "../writer-entries.js";

const pause = new Int32Array(new SharedArrayBuffer(4));
const log = await openWalrus({ directory: process.argv[2] ?? "", segmentBytes: 64 * 1024 });
say(`ready ${log.status().recovery.tornBytes}\n`);

/** In one system call, so that a kill never cuts a line. A full pipe says EAGAIN until its reader has caught up. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

async function write(topic: string): Promise<void> {
  for (;;) {
    const { next } = log.bounds(topic);
    const index = await log.append(topic, entryOf(topic, next));
    if (index !== next) throw new Error(`entry ${index} of ${topic} where ${next} was due`);
    say(`${topic} ${index}\n`);
    // The front moves on, so that segments are removed while we are killed.
    if (index % 400 === 0) {
      await log.truncateFront(topic, index - 300);
      say(`${topic} front ${index - 300}\n`);
    }
  }
}

await Promise.all(Array.from({ length: 8 }, (_, at) => write(`topic ${at}`)));
