import type { Bug, Patch } from "../bug.js";

const bug = (name: string, file: string, find: string, replace: string, profile?: string): Bug => {
  const patch: Patch = { file: `walrus/src/${file}`, find, replace };
  return { name, home: "walrus", patches: [patch], ...(profile !== undefined && { profile }) };
};

/** Mistakes in @octopii/walrus. */
export const walrusBugs: readonly Bug[] = [
  bug(
    "write without a flush",
    "write/active-segment.ts",
    'mode: "readWrite", durableWrites: true',
    'mode: "readWrite", durableWrites: false',
  ),
  bug(
    "no flush of the directory",
    "write/segment-writer.ts",
    "  await fileSystem.rename(temporary, path);\n  await fileSystem.syncDirectory(directory);",
    "  await fileSystem.rename(temporary, path);",
  ),
  bug(
    "no flush of a new segment",
    "write/segment-writer.ts",
    "    await file.write(buffers, 0);\n    await file.sync();",
    "    await file.write(buffers, 0);",
  ),
  bug(
    "build on a tail that is not on the disk",
    "open-walrus.ts",
    "  else await settleTail(",
    "  else if (log.tornBytes > 0) await settleTail(",
  ),
  bug("leave a torn tail where it is", "recovery/settle-tail.ts", "    if (log.isLonger) await file.truncate(end);", ""),
  bug(
    "cut at a bad checksum that a valid frame follows",
    "recovery/segment-scan.ts",
    "    if (later !== null) throw corrupt(",
    "    if (later === -1) throw corrupt(",
  ),
  bug(
    "take no notice of the mark of a close",
    "recovery/recovery.ts",
    "const mark = marked ? await readMark(",
    "const mark = marked && !marked ? await readMark(",
  ),
  bug(
    "believe the bytes of a record",
    "read/log-reader.ts",
    "      if (end > bytes.length || !hasher.verify(at, end, offset))",
    "      if (end > bytes.length)",
    "disks",
  ),
  bug("carry on after a failed write", "write/log-writer.ts", "    this.#failure = error;", ""),
  bug("keep the mark of a close", "open-walrus.ts", "  if (log.clean) await removeMark(opening);\n  else", "  if (!log.clean)"),
  bug(
    "share the directory with whoever comes",
    "recovery/lock-log.ts",
    "    return await fileSystem.lock(directory);",
    "    return { confirm: async () => undefined, release: async () => undefined };",
  ),
  bug(
    "give a segment up that is still read",
    "state/segment-table.ts",
    "?.liveRuns === 0 ? this.#first : null",
    "?.liveRuns === 1 ? this.#first : null",
  ),
  bug(
    "keep one entry too many when a log is cut",
    "state/topic-index.ts",
    "    this.#remove(index, this.#next);\n    this.#next = index;",
    "    this.#remove(index + 1, this.#next);\n    this.#next = index + 1;",
  ),
  bug(
    "resolve before the write is done",
    "write/active-segment.ts",
    "      await this.#durable.write(buffers, this.#end);",
    "      this.#durable.write(buffers, this.#end).catch(() => undefined);",
  ),
  bug(
    "seal before all is flushed",
    "write/segment-writer.ts",
    "seal.checksum, true);\n    await segment.trim();",
    "seal.checksum, false);",
  ),
];
