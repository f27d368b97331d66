import type { SimulatedMember } from "../cluster/simulated-member.js";

/** How deep an error's causes are looked into. */
const causesMax = 8;

/** What the system says of a disk that fails, is full, or has no handle left. */
const diskCodes: readonly string[] = ["EIO", "ENOSPC", "EMFILE"];

/** What a node says of bytes that are not what it wrote. */
const damageCodes: readonly string[] = [
  "OCTOPII_WALRUS_CORRUPT",
  "OCTOPII_WALRUS_UNSUPPORTED_VERSION",
  "OCTOPII_CORE_DIRECTORY_FOREIGN",
  "OCTOPII_CORE_SNAPSHOT_DAMAGED",
  "OCTOPII_CORE_SNAPSHOT_VERSION_UNKNOWN",
];

/** The codes of an error and of what caused it, outermost first. */
export function causeCodes(error: unknown): string[] {
  const codes: string[] = [];
  let cause = error;
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth++) {
    const { code } = cause as { code?: unknown };
    if (typeof code === "string") codes.push(code);
    cause = cause.cause;
  }
  return codes;
}

/** Whether an error's codes say that the disk has failed, on a disk that was made to. */
export function isDiskTrouble({ diskTrouble }: SimulatedMember, codes: readonly string[]): boolean {
  return diskTrouble > 0 && codes.some((code) => diskCodes.includes(code));
}

/**
 * Whether a node may stop for `error`: its disk was made to fail, and the error says so. A node that stops without cause, or for a cause that
 * nobody gave it, is a bug.
 */
export function isExcused(member: SimulatedMember, error: unknown): boolean {
  const codes = causeCodes(error);
  if (isDiskTrouble(member, codes)) return true;
  const { rotOnRead, misdirect } = member.process.disk.silentFaults.struck;
  const maySeeDamage = rotOnRead + misdirect > 0 || member.outOfService === "damaged";
  if (!maySeeDamage) return false;
  // A write that went elsewhere leaves its file too short.
  return codes.some((code) => damageCodes.includes(code)) || (misdirect > 0 && codes.includes("OCTOPII_WALRUS_IO_FAILED"));
}
