/** Something in the repository that its rules refuse. */
export interface Finding {
  /** Path from the root, with the line when there is one: `packages/raft/src/x.ts:12`. */
  readonly where: string;
  /** The rule's short name. */
  readonly rule: string;
  /** What is wrong and what to do instead. */
  readonly message: string;
}

/** One finding, as a line. */
export function describe({ where, rule, message }: Finding): string {
  return `${where} ${rule}: ${message}`;
}
