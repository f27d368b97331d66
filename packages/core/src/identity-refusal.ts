import type { IdentityRefusal } from "@octopii/interfaces";

/** A peer may have written the reason; it goes into logs and onto terminals. */
const reasonCharsMax = 512;

/** What a transport's error says of a refused identity; null if the peer was only unreachable, or slow, or something else failed. */
export function refusalOf(error: unknown): IdentityRefusal | null {
  const refusal = (error as { details?: { refusal?: Partial<IdentityRefusal> } } | null | undefined)?.details?.refusal;
  if (typeof refusal?.reason !== "string" || (refusal.by !== "local" && refusal.by !== "remote")) return null;
  return { by: refusal.by, reason: refusal.reason.slice(0, reasonCharsMax).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ") };
}
