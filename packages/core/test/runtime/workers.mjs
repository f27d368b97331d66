/** Functions for the worker threads of the tests: plain JavaScript, for a thread has no test runner around it. */
import { createHash } from "node:crypto";
import { threadId } from "node:worker_threads";

export const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
export const whichThread = () => threadId;
export const fail = (message) => {
  throw new TypeError(message);
};
export const exit = () => process.exit(3);
/** Counts for ever, and never looks up: only the end of its thread stops it. */
export const spin = () => {
  for (;;) Math.sqrt(2);
};
/** Waits until the cell is set, and wakes whoever waits for that it has begun. */
export const waitFor = (cells) => {
  Atomics.add(cells, 1, 1);
  Atomics.notify(cells, 1);
  Atomics.wait(cells, 0, 0);
  return "waited";
};
/** What `transferred` makes, written out: this module does not import the package. */
export const fill = (buffer) => {
  new Uint8Array(buffer).fill(7);
  return { [Symbol.for("Piscina.transferable")]: [buffer], [Symbol.for("Piscina.valueOf")]: buffer };
};
