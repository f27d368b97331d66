import type { NodeId } from "@octopii/interfaces";
import type { ProposalResult } from "../core/input-output.js";
import type { ForwardProposals, ForwardRefusal } from "../messages.js";
import type { Index, Term } from "../types.js";
import { TakenRequests } from "./taken-requests.js";

/** What a judge says of one part of a submission. */
export interface PartResult {
  readonly count: number;
  readonly firstIndex: Index;
  readonly term: Term;
  readonly refusal: ForwardRefusal | null;
}

/** Commands that other members forwarded to this node, until the core has judged them together with our own. */
export class ForwardedBatches {
  readonly #commandsMax: number;
  readonly #bytesMax: number;
  readonly #taken = new TakenRequests();
  #batches: ForwardProposals[] = [];
  #count = 0;
  #bytes = 0;
  #submitted: ForwardProposals[] = [];

  constructor(commandsMax: number, bytesMax: number) {
    this.#commandsMax = commandsMax;
    this.#bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** Whether it was taken, or refused, before: the network may repeat a message, and what it asks for must not happen twice. */
  isRepeated({ from, requestId }: ForwardProposals): boolean {
    return this.#taken.isRepeated(from, requestId);
  }

  /** @returns false if too much waits. */
  add(batch: ForwardProposals): boolean {
    let bytes = 0;
    for (const command of batch.commands) bytes += command.length;
    const isTooMuch = this.#count + batch.commands.length > this.#commandsMax || this.#bytes + bytes > this.#bytesMax;
    if (isTooMuch && this.#count > 0) return false;
    this.#batches.push(batch);
    this.#count += batch.commands.length;
    this.#bytes += bytes;
    return true;
  }

  /** All commands, after our `own`. {@link judged} must follow. */
  submit(own: readonly Uint8Array[]): readonly Uint8Array[] {
    this.#submitted = this.#batches;
    this.#batches = [];
    this.#count = 0;
    this.#bytes = 0;
    if (this.#submitted.length === 0) return own;
    return own.concat(...this.#submitted.map(({ commands }) => commands));
  }

  /** Splits the result of a submission: what is ours, and an answer for each batch. */
  judged(result: ProposalResult, ownCount: number, answer: (to: NodeId, requestId: number, part: PartResult) => void): void {
    let offset = ownCount;
    for (const { from, requestId, commands } of this.#submitted) {
      answer(from, requestId, partOf(result, offset, commands.length));
      offset += commands.length;
    }
    this.#submitted = [];
  }
}

/** What `result` says of the `count` commands from position `offset` on. */
export function partOf(result: ProposalResult, offset: number, count: number): PartResult & ProposalResult {
  const taken = Math.max(0, Math.min(count, result.count - offset));
  const refusal = taken < count ? result.refusal : null;
  return { count: taken, firstIndex: result.firstIndex + offset, term: result.term, refusal };
}
