import type { Mutation } from "./workbench.js";

const tests = ["node"];

/** Mistakes of the driver and of the codec. */
export const driverMutations: readonly Mutation[] = [
  {
    name: "report a write before storage has it",
    file: "node/write-queue.ts",
    find: "isDone: stored === undefined };",
    replace: "isDone: true };",
    also: { find: "if (stored === undefined) return this.#report();", replace: "this.#report();\n    if (stored === undefined) return;" },
    tests,
  },
  {
    name: "give a proposer the result of another term's entry",
    file: "node/proposals.ts",
    find: 'if (waiter.term === entry.term && entry.kind === "command")',
    replace: 'if (entry.kind === "command")',
    tests,
  },
  {
    name: "take a message that claims another sender",
    file: "node/driver.ts",
    find: "if (message.from !== from) dropped(message);\n      else this.#take(message);",
    replace: "this.#take(message);",
    tests,
  },
  {
    name: "believe a forward's answer from anybody",
    file: "node/forwarding.ts",
    find: "if (forwarded === undefined || forwarded.leaderId !== message.from) return;",
    replace: "if (forwarded === undefined) return;",
    tests: ["fuzz/node", "node"],
  },
  {
    name: "install a snapshot whose data has not come",
    file: "node/driver.ts",
    find: "await this.#snapshots.receive(message, chunks);",
    replace: "this.#snapshots.receive(message, chunks).catch(() => undefined);",
    tests: ["fuzz/node", "node"],
  },
  {
    name: "serve a read before its index is applied",
    file: "node/reads.ts",
    find: "else if (read.index <= appliedIndex) asked.waiter.resolve(read.index);",
    replace: "else if (read.index >= 0) asked.waiter.resolve(read.index);",
    tests: ["fuzz/node", "node"],
  },
  {
    name: "settle nothing when the node stops",
    file: "node/raft-node.ts",
    find: "this.#callers.rejectAll((outcome) => stoppedError(error, outcome));",
    replace: "",
    tests,
  },
  {
    name: "read on in a log that a snapshot has replaced",
    file: "node/driver.ts",
    find: "if (write.snapshot !== null) this.#applier.supersede();",
    replace: "",
    tests: ["fuzz/node", "node"],
  },
  {
    name: "drop the own snapshots before the leader's is installed",
    file: "node/driver.ts",
    find: "if (appliedIndex < compactedIndex) return;",
    replace: "",
    tests: ["fuzz/node", "node"],
  },
  {
    name: "a peer's word decides how much memory is taken",
    file: "node/waiting-entries.ts",
    find: "index - this.#firstIndex >= slotsMax) {",
    replace: "index - this.#firstIndex >= slotsMax * 64) {",
    tests: ["fuzz/waiting"],
  },
  {
    name: "decode a flag that is none",
    file: "wire/message-codec.ts",
    find: "if (value > 1) throw new MalformedBytes(",
    replace: "if (value > 999) throw new MalformedBytes(",
    tests: ["wire", "fuzz"],
  },
  {
    name: "believe a count of entries that cannot be there",
    file: "wire/message-codec.ts",
    find: "if (count * messageBytesMin > reader.remaining)",
    replace: "if (count < 0)",
    tests: ["wire"],
  },
  {
    name: "propose what was passed on as often as the network repeats it",
    file: "node/callers.ts",
    find: " || this.#forwarded.isRepeated(message)) return;",
    replace: ") return;",
    tests: ["node"],
  },
  {
    name: "propose what was passed on to the leader of an earlier term",
    file: "node/callers.ts",
    find: "message.term !== this.#host.currentTerm() || this.#forwarded",
    replace: "this.#forwarded",
    tests: ["node"],
  },
  {
    name: "open a log that is newer than the vote beside it",
    file: "node/open.ts",
    find: "if (lastTerm > hardState.currentTerm) {",
    replace: "if (lastTerm > hardState.currentTerm + 2 ** 50) {",
    tests: ["node"],
  },
];
