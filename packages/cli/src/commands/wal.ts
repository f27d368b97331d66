import {
  containsWalrus,
  type DumpedRecord,
  dumpWalrus,
  inspectWalrus,
  isWalrusError,
  type Progress,
  repairWalrus,
  tailWalrus,
  verifyWalrus,
} from "@octopii/walrus";
import { type Command, type CommandLine, type Io, parseCommandLine, usageError } from "../command.js";
import { describeError } from "../errors.js";
import { suggestion } from "../suggest.js";

const help = `Looks into the write-ahead log in a directory.

usage: octopii wal info DIR     what is in it, as opening it would find it
       octopii wal dump DIR     every record, one per line
       octopii wal verify DIR   read every byte and check it
       octopii wal repair DIR   make a damaged log open again; what is changed
                                is copied aside, and what is lost is said
       octopii wal tail DIR     records as they are written, until Ctrl+C

  --json           print JSON; for dump and tail, one object per line
  --help           print this

examples:
  octopii wal verify data/node-1/log
  octopii wal dump data/node-1/log --json | grep truncate

Only repair changes anything, and only a log that nobody has open. Progress of
verify and repair goes to stderr.

Exit code: 0 the log is sound, or was made so; 1 it is damaged, or there is no
log; 2 bad input, which includes a log that is in use.
`;

/** How often progress is told, in bytes. */
const progressBytes = 256 * 1024 * 1024;

interface Call {
  readonly directory: string;
  readonly json: boolean;
  readonly io: Io;
}

const actions: Readonly<Record<string, (call: Call) => Promise<number>>> = { info, dump, verify, repair, tail };

export const walCommand: Command = {
  name: "wal",
  summary: "look into a write-ahead log, and repair it",
  help,
  async run(args, io) {
    const line = parseCommandLine("wal", args, { json: { type: "boolean" } }, true);
    if (line.help) {
      io.stdout.write(help);
      return 0;
    }
    const { action, directory } = wordsOf(line);
    try {
      return await action({ directory, json: line.values.json === true, io });
    } catch (error) {
      if (!isWalrusError(error, "OCTOPII_WALRUS_CORRUPT")) throw error;
      io.stderr.write(`octopii: ${describeError(error)}\n`);
      return 1;
    }
  },
};

function wordsOf({ positionals }: CommandLine): { action: (call: Call) => Promise<number>; directory: string } {
  const [name, directory, ...rest] = positionals;
  const names = Object.keys(actions);
  if (name === undefined) throw usageError("What to do is missing: info, dump, verify, repair or tail", "wal");
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) throw usageError(`wal cannot "${name}"${suggestion(name, names)}`, "wal");
  if (directory === undefined || directory === "" || rest.length > 0) throw usageError(`wal ${name} takes DIR`, "wal");
  return { action, directory };
}

async function info({ directory, json, io }: Call): Promise<number> {
  const log = await inspectWalrus(directory);
  if (log === null) return noLog(directory, io);
  if (json) {
    io.stdout.write(`${JSON.stringify(log)}\n`);
    return 0;
  }
  const { logId, clean, tornBytes, bytes, liveBytes, segments, topics, formatVersion } = log;
  const end = clean ? "closed properly" : tornBytes > 0 ? `open or crashed, ${tornBytes} unfinished bytes at its end` : "open or crashed";
  io.stdout.write(`log ${logId}, format ${formatVersion}, ${end}\n`);
  io.stdout.write(`${bytes} bytes, about ${liveBytes} of them live, in ${segments.length} segments\n`);
  for (const { number, bytes: size, runs } of segments)
    io.stdout.write(`  segment ${number}: ${size} bytes${runs === null ? ", not sealed" : ""}\n`);
  for (const { name, first, next, cursors } of topics) {
    const places = Object.entries(cursors).map(([cursor, position]) => `, ${JSON.stringify(cursor)} at ${position}`);
    io.stdout.write(`  topic ${JSON.stringify(name)}: ${next - first} entries, [${first}, ${next})${places.join("")}\n`);
  }
  return 0;
}

async function dump({ directory, json, io }: Call): Promise<number> {
  if (!(await containsWalrus(directory))) return noLog(directory, io);
  await dumpWalrus(directory, (record) => void io.stdout.write(lineOf(record, json)));
  return 0;
}

function lineOf(record: DumpedRecord, json: boolean): string {
  if (json) return `${JSON.stringify(record)}\n`;
  const { segment, offset, type, topic, index, bytes } = record;
  return `${segment}:${offset} ${type} ${JSON.stringify(topic)} ${index} ${bytes} bytes\n`;
}

async function verify({ directory, json, io }: Call): Promise<number> {
  const report = await verifyWalrus(directory, { onProgress: progressTo(io) });
  if (report.logId === null && report.problem === null) return noLog(directory, io);
  const { problem, ...rest } = report;
  if (json) {
    const details = problem === null ? null : { code: problem.code, message: problem.message, ...problem.details };
    io.stdout.write(`${JSON.stringify({ ...rest, problem: details })}\n`);
  } else if (problem === null) {
    const { segments, bytes, frames, records, tornBytes } = report;
    const tail = tornBytes > 0 ? `; ${tornBytes} unfinished bytes at its end, which the next open cuts` : "";
    io.stdout.write(`sound: ${records} records in ${frames} frames, ${bytes} bytes in ${segments} segments${tail}\n`);
  } else io.stdout.write(`damaged: ${problem.message}\n`);
  return report.sound ? 0 : 1;
}

async function repair({ directory, json, io }: Call): Promise<number> {
  if (!(await containsWalrus(directory))) return noLog(directory, io);
  const report = await repairWalrus(directory, { onProgress: progressTo(io) });
  if (json) {
    io.stdout.write(`${JSON.stringify(report)}\n`);
    return 0;
  }
  if (!report.changed) io.stdout.write("The log is sound; nothing was changed.\n");
  for (const problem of report.problems) io.stdout.write(`found: ${problem}\n`);
  for (const action of report.actions) io.stdout.write(`done: ${action}\n`);
  for (const { topic, first, next } of report.lost)
    io.stdout.write(`lost: entries ${first} to ${next - 1} of topic ${JSON.stringify(topic)}\n`);
  for (const loss of report.otherLosses) io.stdout.write(`lost: ${loss}\n`);
  if (report.lostBytes > 0) io.stdout.write(`lost: ${report.lostBytes} bytes in all\n`);
  if (report.backup !== null) io.stdout.write(`The files as they were are in ${report.backup}.\n`);
  return 0;
}

async function tail({ directory, json, io }: Call): Promise<number> {
  if (!(await containsWalrus(directory))) return noLog(directory, io);
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  io.stdout.once("error", stop);
  try {
    await tailWalrus(directory, (record) => void io.stdout.write(lineOf(record, json)), { signal: controller.signal });
  } finally {
    process.removeListener("SIGINT", stop);
    process.removeListener("SIGTERM", stop);
    io.stdout.removeListener("error", stop);
  }
  return 0;
}

function noLog(directory: string, io: Io): number {
  io.stderr.write(`octopii: There is no log in ${directory}.\n`);
  return 1;
}

function progressTo({ stderr }: Io): (progress: Progress) => void {
  let told = 0;
  return ({ bytes, totalBytes }) => {
    if (bytes < told + progressBytes) return;
    told = bytes;
    stderr.write(`${Math.floor((bytes / totalBytes) * 100)} % of ${totalBytes} bytes\n`);
  };
}
