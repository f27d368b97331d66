import type { Bug, Patch } from "../bug.js";

const bug = (name: string, file: string, find: string, replace: string): Bug => {
  const patch: Patch = { file: `rpc/src/${file}`, find, replace };
  return { name, home: "rpc", patches: [patch] };
};

/** Mistakes in @octopii/rpc, which clients on machines of their own speak. */
export const rpcBugs: readonly Bug[] = [
  bug(
    "give an answer to whichever call is waiting",
    "caller-stream.ts",
    "const call = this.#pending.get(callId);",
    "const call = [...this.#pending.values()][0];",
  ),
  bug(
    "call what was sent unsent when the stream is lost",
    "caller-stream.ts",
    'call.reject(this.#unavailable(call, reason, call.unsent ? "failed" : "unknown"));',
    'call.reject(this.#unavailable(call, reason, "failed"));',
  ),
  bug(
    "call a request that timed out unsent",
    "caller-stream.ts",
    '    this.#link.send(new PlainFrame({ frameType: frameTypes.cancel, extra: why, callId: call.callId }));\n    return "unknown";',
    '    this.#link.send(new PlainFrame({ frameType: frameTypes.cancel, extra: why, callId: call.callId }));\n    return "failed";',
  ),
  bug("never give a call up", "deadline-queue.ts", "      first.expire();", ""),
  bug(
    "leave calls pending when the stream is lost",
    "caller-stream.ts",
    "    for (const call of [...this.#pending.values()]) {\n      this.#forget(call);\n      this.#endpoint.counters.callsFailed += 1;\n      call.reject(this.#unavailable(call, reason, call.unsent",
    "    for (const call of [] as OutboundCall[]) {\n      this.#forget(call);\n      this.#endpoint.counters.callsFailed += 1;\n      call.reject(this.#unavailable(call, reason, call.unsent",
  ),
  bug(
    "run the handler once more",
    "served-stream.ts",
    "    this.#begin(call);\n    call.run(handler, body.payload);\n  }\n\n  #onOneWay",
    "    this.#begin(call);\n    void Promise.resolve(handler(body.payload, { remainingMs: () => 1_000, signal: call.signal } as never)).catch(() => undefined);\n    call.run(handler, body.payload);\n  }\n\n  #onOneWay",
  ),
  bug(
    "tell every caller that nothing was done",
    "served-stream.ts",
    'const notExecuted = error.outcome === "failed" && error.method === null;',
    "const notExecuted = true;",
  ),
];
