import type { NodeId } from "@octopii/interfaces";

/** Processes of one node whose requests are remembered; a message of an earlier one has long been lost. */
const processesMax = 8;
/**
 * The distance between the places of 2^52 at which two processes may begin to count. Numbers that are closer are of the same process, which
 * never leaves out so many.
 */
export const idsPerProcess: number = 2 ** 20;

/**
 * Which requests of each peer were seen. Their numbers ascend within each process of the peer, so the highest is enough; one that arrives behind
 * a later one counts as seen, and is as good as lost.
 */
export class TakenRequests {
  /** By peer: the highest number of each of its processes, the newest process last. */
  readonly #highest = new Map<NodeId, number[]>();

  /** @returns whether `requestId` was seen before; from now on it was. */
  isRepeated(peer: NodeId, requestId: number): boolean {
    const marks = this.#highest.get(peer) ?? [];
    const at = marks.findIndex((mark) => Math.abs(mark - requestId) < idsPerProcess);
    if (at >= 0 && requestId <= (marks[at] as number)) return true;
    if (at >= 0) marks[at] = requestId;
    else marks.push(requestId);
    if (marks.length > processesMax) marks.shift();
    this.#highest.set(peer, marks);
    return false;
  }
}
