/** A function in a module, for a worker thread to call. Made by {@link defineWorkerTask}. */
export interface WorkerTask<Input, Output> {
  /** A `file:` URL or an absolute path. */
  readonly module: string;
  /** The name under which the module exports the function. */
  readonly name: string;
  /** Never there: it keeps the types. */
  readonly types?: (input: Input) => Output;
}

/**
 * Names a function that worker threads can call: code does not travel between threads, so it stands in a module of its own. The function
 * takes one argument and gives a value, or a promise of one; both are copied between the threads by structured clone.
 * @param module - `new URL("./hash.js", import.meta.url)`, or an absolute path.
 * @param name - of the export. Default `default`.
 * @throws {TypeError} for a module that is neither.
 * @example
 * const hash = defineWorkerTask<typeof import("./hash.js").hash>(new URL("./hash.js", import.meta.url), "hash");
 */
export function defineWorkerTask<Work extends (input: never) => unknown>(
  module: URL | string,
  name = "default",
): WorkerTask<Parameters<Work>[0], WorkOutput<Awaited<ReturnType<Work>>>> {
  const path = String(module);
  if (!path.startsWith("file:") && !path.startsWith("/") && !/^[A-Za-z]:[\\/]/.test(path)) {
    throw new TypeError(
      `A worker's module is named by a file: URL or an absolute path, not "${path}": write new URL("…", import.meta.url).`,
    );
  }
  if (typeof name !== "string" || name === "") throw new TypeError("A worker's function has a name, that of its export.");
  return Object.freeze({ module: path, name });
}

type WorkOutput<Result> = Result extends Transferred<infer Value> ? Value : Result;

/** The names by which the pool knows a result that carries a transfer list; piscina documents them. */
const listSymbol: unique symbol = Symbol.for("Piscina.transferable") as never;
const valueSymbol: unique symbol = Symbol.for("Piscina.valueOf") as never;

/** A result whose buffers change hands instead of being copied. Made by {@link transferred}. */
export interface Transferred<Value> {
  readonly [listSymbol]: readonly object[];
  readonly [valueSymbol]: Value;
}

/** For the function in the worker: hands `list` over with the result instead of copying it. */
export function transferred<Value>(value: Value, list: readonly object[]): Transferred<Value> {
  return { [listSymbol]: list, [valueSymbol]: value };
}
