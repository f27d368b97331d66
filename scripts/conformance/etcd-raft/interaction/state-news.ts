import type { HardState, RaftStatus } from "./raft.js";
import type { Ready, SoftState } from "./ready.js";

/** What a node has last told of its state, so that it tells only what changed. */
export class StateNews {
  #softState: SoftState;
  #hardState: HardState;

  constructor({ leaderId, role }: RaftStatus, hardState: HardState) {
    this.#softState = { leaderId, role };
    this.#hardState = hardState;
  }

  isNews({ leaderId, role }: RaftStatus): boolean {
    return leaderId !== this.#softState.leaderId || role !== this.#softState.role;
  }

  /** @param hardState - what the core wants written, or null. @param entryCount - how many entries go with it. */
  take(status: RaftStatus, hardState: HardState | null, entryCount: number): Pick<Ready, "softState" | "hardState" | "mustSync"> {
    const softState = this.isNews(status) ? { leaderId: status.leaderId, role: status.role } : null;
    this.#softState = softState ?? this.#softState;
    const before = this.#hardState;
    const after = hardState ?? before;
    this.#hardState = after;
    const isPromise = after.currentTerm !== before.currentTerm || after.votedFor !== before.votedFor;
    const isChanged = isPromise || after.commitIndex !== before.commitIndex;
    return { softState, hardState: isChanged ? after : null, mustSync: isPromise || entryCount > 0 };
  }
}
