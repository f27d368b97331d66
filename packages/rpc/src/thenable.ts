/** Whether a handler answers later. By shape, since promises of other realms and libraries count as well. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
