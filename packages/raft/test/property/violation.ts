/** Something that Raft promises did not hold. */
export class Violation extends Error {}

export function promise(holds: boolean, what: () => string): void {
  if (!holds) throw new Violation(what());
}
