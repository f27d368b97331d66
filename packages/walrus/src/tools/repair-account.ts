import type { LostEntries } from "./lost.js";

/** What a repair has found, done, and could not save. */
export interface RepairAccount {
  readonly problems: string[];
  readonly actions: string[];
  lost: LostEntries[];
  lostBytes: number;
  readonly otherLosses: string[];
}

const FORMAT = 1;

/** An account that says nothing yet. */
export function emptyAccount(): RepairAccount {
  return { problems: [], actions: [], lost: [], lostBytes: 0, otherLosses: [] };
}

/** Adds the entries that one more cut takes away. */
export function addLost(account: RepairAccount, more: readonly LostEntries[]): void {
  const byTopic = new Map(account.lost.map((one) => [one.topic, one]));
  for (const { topic, first, next } of more) {
    const before = byTopic.get(topic);
    byTopic.set(topic, { topic, first: Math.min(first, before?.first ?? first), next: Math.max(next, before?.next ?? next) });
  }
  account.lost = [...byTopic.values()];
}

/** How an account is kept beside the copies, so that a repair that was interrupted still says in the end what is lost. */
export interface KeptAccount {
  readonly account: RepairAccount;
  readonly isFinished: boolean;
}

export function encodeAccount({ account, isFinished }: KeptAccount): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, isFinished, ...account }, null, 2)}\n`);
}

/** Null if it makes no sense, or is of another release: then the repair begins with an empty one. */
export function decodeAccount(bytes: Uint8Array): KeptAccount | null {
  try {
    const { format, isFinished, problems, actions, lost, lostBytes, otherLosses } = JSON.parse(new TextDecoder().decode(bytes));
    const lists: unknown[] = [problems, actions, lost, otherLosses];
    if (format !== FORMAT || typeof isFinished !== "boolean" || typeof lostBytes !== "number" || !lists.every(Array.isArray)) return null;
    return { account: { problems, actions, lost, lostBytes, otherLosses }, isFinished };
  } catch {
    return null;
  }
}
