import { describeEntry, describeHardState, describeParcel, describeSnapshot, roleNames } from "./describe.js";
import type { Parcel } from "./parcel.js";
import type { Entry, HardState, ReadReady, Role, SnapshotMetadata } from "./raft.js";

/** What changes often and is not stored. */
export interface SoftState {
  readonly leaderId: number;
  readonly role: Role;
}

/** All that a node wants done since it was last asked. */
export interface Ready {
  /** Null if it did not change. */
  readonly softState: SoftState | null;
  /** Null if it did not change. */
  readonly hardState: HardState | null;
  /** The write must be flushed before anything that depends on it. */
  readonly mustSync: boolean;
  readonly reads: readonly ReadReady[];
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMetadata | null;
  readonly committed: readonly Entry[];
  readonly messages: readonly Parcel[];
}

/** Line by line, each of them ended; without the end for nothing at all. */
export function describeReady(ready: Ready): string {
  const lines: string[] = [];
  if (ready.softState !== null) lines.push(`Lead:${ready.softState.leaderId} State:${roleNames[ready.softState.role]}`);
  if (ready.hardState !== null) lines.push(`HardState ${describeHardState(ready.hardState)}`);
  if (ready.reads.length > 0) lines.push(`ReadStates ${ready.reads.map(describeRead).join(" ")}`);
  if (ready.entries.length > 0) lines.push("Entries:", ...ready.entries.map(describeEntry));
  if (ready.snapshot !== null) lines.push(`Snapshot ${describeSnapshot(ready.snapshot)}`);
  if (ready.committed.length > 0) lines.push("CommittedEntries:", ...ready.committed.map(describeEntry));
  if (ready.messages.length > 0) lines.push("Messages:", ...ready.messages.map((parcel) => describeParcel(parcel)));
  if (lines.length === 0) return "<empty Ready>";
  return [`Ready MustSync=${ready.mustSync}:`, ...lines, ""].join("\n");
}

function describeRead({ id, index }: ReadReady): string {
  return `${id}:${index ?? "refused"}`;
}
