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

/** What of a member's batch the core is to judge. */
interface WaitingBatch extends Pick<ForwardProposals, "from" | "requestId" | "commands"> {
  /** A command that is too large followed, and whatever stood behind it. */
  readonly isCut: boolean;
}

/** Commands that other members forwarded to this node, until the core has judged them together with our own. */
export class ForwardedBatches {
  readonly #commandsMax: number;
  readonly #bytesMax: number;
  readonly #entryBytesMax: number;
  readonly #taken = new TakenRequests();
  #batches: WaitingBatch[] = [];
  #count = 0;
  #bytes = 0;
  #submitted: WaitingBatch[] = [];

  constructor(commandsMax: number, bytesMax: number, entryBytesMax: number) {
    this.#commandsMax = commandsMax;
    this.#bytesMax = bytesMax;
    this.#entryBytesMax = entryBytesMax;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** Whether it was taken, or refused, before: the network may repeat a message, and what it asks for must not happen twice. */
  isRepeated({ from, requestId }: ForwardProposals): boolean {
    return this.#taken.isRepeated(from, requestId);
  }

  /**
   * Takes the commands of a batch, up to the first that is too large: given to the core, that one would take all behind it down, other members'
   * too. @returns why nothing of it was taken; null if something was.
   */
  add({ from, requestId, commands: all }: ForwardProposals): ForwardRefusal | null {
    const tooLarge = all.findIndex(({ length }) => length > this.#entryBytesMax);
    if (tooLarge === 0) return "entryTooLarge";
    const commands = tooLarge < 0 ? all : all.slice(0, tooLarge);
    let bytes = 0;
    for (const command of commands) bytes += command.length;
    const isTooMuch = this.#count + commands.length > this.#commandsMax || this.#bytes + bytes > this.#bytesMax;
    if (isTooMuch && this.#count > 0) return "busy";
    this.#batches.push({ from, requestId, commands, isCut: tooLarge > 0 });
    this.#count += commands.length;
    this.#bytes += bytes;
    return null;
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
    for (const { from, requestId, commands, isCut } of this.#submitted) {
      const part = partOf(result, offset, commands.length);
      answer(from, requestId, isCut && part.refusal === null ? { ...part, refusal: "entryTooLarge" } : part);
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
