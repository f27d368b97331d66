import type { IdentityRefusal } from "@octopii/interfaces";
import { CoreError } from "../errors.js";
import { refusalOf } from "../identity-refusal.js";

/** A member that could not be reached, and why; `undefined` if it had not answered when time was up. */
export interface UnreachedMember {
  readonly address: string;
  readonly failure: unknown;
}

interface RefusingMember extends IdentityRefusal {
  readonly address: string;
}

/**
 * What a caller hears when no member could be reached. A refused identity is told as what it is only if no member is left that may be
 * merely slow, for one wrongly configured member must not speak for the others.
 * @param wasAccepted - some member has accepted the client before: members that do not answer count as slow then, they may be restarting.
 */
export function unreachedError(members: readonly UnreachedMember[], wasAccepted: boolean): CoreError {
  const refusals = members.flatMap(({ address, failure }): RefusingMember[] => {
    const refusal = refusalOf(failure);
    return refusal === null ? [] : [{ address, ...refusal }];
  });
  const isSlow = ({ failure }: UnreachedMember): boolean => failure === undefined || (wasAccepted && refusalOf(failure) === null);
  if (refusals.length > 0 && !members.some(isSlow)) return refusedError(members, refusals);
  // Whom nobody refused is named first: there lies the hope.
  const silent = members.find(({ failure }) => refusalOf(failure) === null) ?? members[0];
  const others = members.length > 1 ? `, nor any of the ${members.length - 1} other members` : "";
  const message = `${silent?.address ?? "No member"} cannot be reached${others}: ${whyOf(silent?.failure)}`;
  return new CoreError("OCTOPII_CORE_UNAVAILABLE", message, { cause: silent?.failure });
}

function refusedError(members: readonly UnreachedMember[], refusals: readonly RefusingMember[]): CoreError {
  const groups = new Map<string, string[]>();
  for (const { address, by, reason } of refusals) {
    const group = `${by} ${reason}`;
    groups.set(group, [...(groups.get(group) ?? []), address]);
  }
  const clauses = [...groups].map(([group, addresses]) => {
    const list = addresses.join(", ");
    return group.startsWith("local ")
      ? `the identity of ${list} is refused by this client: ${group.slice("local ".length)}`
      : `the identity of this client is refused by ${list}: ${group.slice("remote ".length)}`;
  });
  const dead = members.filter(({ address }) => !refusals.some((refusal) => refusal.address === address)).map(({ address }) => address);
  if (dead.length > 0) clauses.push(`${dead.join(", ")} cannot be reached`);
  clauses.push(
    "see that the client's certificate, its authorities and the name it knows the cluster by are those of this cluster, and still valid",
  );
  const text = clauses.join("; ");
  return new CoreError("OCTOPII_CORE_IDENTITY_REFUSED", `${text.charAt(0).toUpperCase()}${text.slice(1)}.`, { details: { refusals } });
}

function whyOf(failure: unknown): string {
  if (failure === undefined) return "there was no answer in time.";
  return failure instanceof Error ? failure.message : String(failure);
}
