import { Group } from "./group.js";

/** A group that has reached this length takes nothing more: what comes next goes into the next flush. */
const GROUP_BYTES = 4 * 1024 * 1024;
/** Spare groups that are kept, with their buffers: one to gather in while another is written. */
const SPARE_GROUPS = 2;

/** What waits for the disk, in order. While one group is written, the next gathers. */
export class CommitQueue {
  readonly #groups: Group[] = [];
  readonly #spare: Group[] = [];
  #queuedBytes = 0;

  /** The bytes that were taken and are not written yet, those in flight included. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  /** The group that takes the records of one call, all of them. @param bytes - what they count for. @param durable - to be flushed. */
  gather(bytes: number, durable: boolean): Group {
    let group = this.#groups[this.#groups.length - 1];
    if (group === undefined || group.frame.byteLength >= GROUP_BYTES) {
      group = this.#spare.pop() ?? new Group();
      this.#groups.push(group);
    }
    if (durable) group.durable = true;
    group.queuedBytes += bytes;
    this.#queuedBytes += bytes;
    return group;
  }

  /** The next group to write, which may still be added to. */
  get next(): Group | undefined {
    return this.#groups[0];
  }

  /** The next group to write. Nothing is added to it any more. */
  take(): Group | undefined {
    return this.#groups.shift();
  }

  /** A group that was taken is settled. */
  done(group: Group): void {
    this.#queuedBytes -= group.queuedBytes;
    group.clear();
    if (this.#spare.length < SPARE_GROUPS) this.#spare.push(group);
  }
}
