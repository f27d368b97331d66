import { type DumpedRecord, recordsOf, TopicNames } from "./dumped-record.js";
import { listLog, type ToolPorts } from "./log-directory.js";
import { Replayer } from "./replay.js";

/**
 * Gives every record of the log in a directory, in order, to `onRecord`, until the end or the first damage. Changes nothing.
 * @throws {WalrusError} `OCTOPII_WALRUS_CORRUPT` at the first damage, `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function dumpWalrus(directory: string, onRecord: (record: DumpedRecord) => void, ports: ToolPorts = {}): Promise<void> {
  const log = await listLog(directory, ports);
  const names = new TopicNames();
  const replay = await new Replayer(log, {
    onFrame: (frame, segment, records) => {
      names.learn(records);
      recordsOf(frame, segment, records, names, onRecord);
    },
  }).run();
  if (replay.problem !== null) throw replay.problem;
}
