import type { Bug, Patch } from "../bug.js";

const bug = (name: string, file: string, find: string, replace: string, profile?: string): Bug => {
  const patch: Patch = { file: `walrus/src/${file}`, find, replace };
  return { name, home: "walrus", patches: [patch], ...(profile !== undefined && { profile }) };
};

/** Mistakes in @octopii/walrus. */
export const walrusBugs: readonly Bug[] = [
  bug("write without a flush", "segment-writer.ts", 'mode: "readWrite", durableWrites: true', 'mode: "readWrite", durableWrites: false'),
  bug(
    "no flush of the directory",
    "segment-writer.ts",
    "  await fileSystem.rename(temporary, path);\n  await fileSystem.syncDirectory(directory);",
    "  await fileSystem.rename(temporary, path);",
  ),
  bug(
    "no flush of a new segment",
    "segment-writer.ts",
    "    await file.write(buffers, 0);\n    await file.sync();",
    "    await file.write(buffers, 0);",
  ),
  bug(
    "build on a tail that is not on the disk",
    "open-walrus.ts",
    "  else await settleTail(opening, log, segments);",
    "  else if (log.tornBytes > 0) await settleTail(opening, log, segments);",
  ),
  bug("leave a torn tail where it is", "open-walrus.ts", "      await file.truncate(end);", ""),
  bug(
    "cut at a bad checksum that a valid frame follows",
    "recovery.ts",
    "    if (later !== null) throw corrupt(",
    "    if (later === -1) throw corrupt(",
  ),
  bug(
    "take no notice of the mark of a close",
    "recovery.ts",
    "    if (contents.marked) this.#mark = await this.#readMark();",
    "    if (contents.marked) await this.#readMark();",
  ),
  bug("believe the bytes of a record", "log-reader.ts", "      if (!whole) throw corrupt(", "      if (false) throw corrupt(", "disks"),
  bug("carry on after a failed write", "log-writer.ts", "    this.#failure = error;", ""),
  bug("keep a segment's mark of a close", "open-walrus.ts", "  if (log.clean) await removeMark(opening);\n  else", "  if (!log.clean)"),
  bug(
    "share the directory with whoever comes",
    "open-walrus.ts",
    "    return await fileSystem.lock(directory);",
    "    return { confirm: async () => {}, release: async () => {} };",
  ),
  bug(
    "give a segment up that is still read",
    "segment-table.ts",
    "?.liveRuns === 0 ? this.#first : null",
    "?.liveRuns === 1 ? this.#first : null",
  ),
  bug(
    "forget which segment a run is in",
    "topic-index.ts",
    "  runSegment(run: number): number {\n    return this.#runSegments[run] ?? 0;",
    "  runSegment(run: number): number {\n    return this.#runSegments[this.#runSegments.length - 1 - run] ?? 0;",
  ),
  bug(
    "resolve before the write is done",
    "log-writer.ts",
    "      await active.file.write(frame.buffers, active.end);",
    "      active.file.write(frame.buffers, active.end).catch(() => undefined);",
  ),
  bug(
    "keep one entry too many when a log is cut",
    "topic-index.ts",
    "    this.#next = index;\n    if (index < this.#base)",
    "    this.#next = index + 1;\n    if (index < this.#base)",
  ),
];
