import type { File, Logger } from "@octopii/interfaces";
import type { GroupId, SnapshotMetadata, SnapshotWriter } from "@octopii/raft";
import type { SnapshotDirectory, TemporaryFile } from "./snapshot-directory.js";
import {
  checksumBytes,
  checksumOf,
  chunkBytesMax,
  chunkLengthBytes,
  chunkOverheadBytes,
  encodeFooter,
  encodeHeader,
} from "./snapshot-format.js";

/** So much is written before it is flushed: neither our last flush nor the log's, on the same disk, waits for gigabytes of ours. */
const unsyncedBytesMax = 8 * 1024 * 1024;

/** Begins a snapshot in a file of its own. @throws RangeError if the configuration is unsound; whatever the file system throws. */
export async function createSnapshotWriter(
  directory: SnapshotDirectory,
  group: GroupId,
  metadata: SnapshotMetadata,
  logger: Logger,
): Promise<SnapshotWriter> {
  const header = encodeHeader(group, metadata);
  const writer = new FileSnapshotWriter(directory, await directory.create(group, metadata), { group, metadata, header, logger });
  try {
    await writer.begin();
    return writer;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** What a writer writes about. */
interface WriterSubject {
  readonly group: GroupId;
  readonly metadata: SnapshotMetadata;
  readonly header: Uint8Array;
  readonly logger: Logger;
}

/** Calls take effect one after the other; after a failure all but `abort` fail in the same way. */
class FileSnapshotWriter implements SnapshotWriter {
  readonly #directory: SnapshotDirectory;
  readonly #file: File;
  readonly #path: string;
  readonly #subject: WriterSubject;
  /** The chunk that is being filled, with its length before it and room for its checksum behind. */
  readonly #block: Uint8Array = new Uint8Array(chunkBytesMax + chunkOverheadBytes);
  #filled = 0;
  #position = 0;
  #unsynced = 0;
  #checksum: Uint8Array;
  #chunks = 0;
  #bytes = 0;
  #state: "open" | "committed" | "aborted" = "open";
  /** What was called last; once anything has failed, all that follows has. */
  #last: Promise<void> = Promise.resolve();
  #aborting: Promise<void> | null = null;

  constructor(directory: SnapshotDirectory, { file, path }: TemporaryFile, subject: WriterSubject) {
    this.#directory = directory;
    this.#file = file;
    this.#path = path;
    this.#subject = subject;
    this.#checksum = subject.header.subarray(-checksumBytes);
  }

  begin(): Promise<void> {
    return this.#next(() => this.#append(this.#subject.header));
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#next(async () => {
      for (let taken = 0; taken < chunk.length; ) {
        const part = chunk.subarray(taken, taken + chunkBytesMax - this.#filled);
        this.#block.set(part, chunkLengthBytes + this.#filled);
        this.#filled += part.length;
        taken += part.length;
        if (this.#filled === chunkBytesMax) await this.#appendChunk();
      }
    });
  }

  commit(): Promise<void> {
    return this.#next(async () => {
      if (this.#filled > 0) await this.#appendChunk();
      await this.#append(encodeFooter({ chunks: this.#chunks, bytes: this.#bytes }, this.#checksum));
      await this.#file.sync();
      await this.#file.close();
      await this.#directory.publish(this.#path, this.#subject.group, this.#subject.metadata);
      this.#state = "committed";
    });
  }

  abort(): Promise<void> {
    // After what is under way: a handle must not be closed while the file is written.
    this.#aborting ??= this.#last.then(
      () => this.#abort(),
      () => this.#abort(),
    );
    return this.#aborting;
  }

  async #abort(): Promise<void> {
    if (this.#state === "committed") return;
    this.#state = "aborted";
    await this.#file.close().catch((error: unknown) => {
      this.#subject.logger.warn({ path: this.#path, error }, "The file of a snapshot that was given up could not be closed.");
    });
    await this.#directory.discard(this.#path, this.#subject.group);
  }

  #next(operation: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(() => {
      if (this.#state !== "open") throw new Error(`This snapshot is ${this.#state} already; begin another.`);
      return operation();
    });
    return this.#last;
  }

  async #appendChunk(): Promise<void> {
    const end = chunkLengthBytes + this.#filled;
    new DataView(this.#block.buffer).setUint32(0, this.#filled, true);
    this.#checksum = checksumOf(this.#checksum, this.#block.subarray(0, end));
    this.#block.set(this.#checksum, end);
    await this.#append(this.#block.subarray(0, end + checksumBytes));
    this.#chunks += 1;
    this.#bytes += this.#filled;
    this.#filled = 0;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#file.write([bytes], this.#position);
    this.#position += bytes.length;
    this.#unsynced += bytes.length;
    if (this.#unsynced < unsyncedBytesMax) return;
    await this.#file.sync();
    this.#unsynced = 0;
  }
}
