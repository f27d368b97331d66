import type { CallOptions, QueryOptions } from "../call-options.js";
import type { Replicated } from "./key-value-client.js";
import { Rejection } from "./state-machine.js";
import type { Restorable } from "./wal-backed.js";

/** A replicated whole number. */
export interface Counter extends Restorable {
  /** What this replica has counted to. */
  readonly value: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The state machine of a counter that begins at 0: commands are what to add, in decimal digits; a query's request is empty, its answer the value. */
export function counter(): Counter {
  let value = 0;
  return {
    get value() {
      return value;
    },
    apply(command) {
      const next = value + numberOf(command);
      if (!Number.isSafeInteger(next)) throw new Rejection(`The counter cannot hold ${next}: it counts exactly, to 2^53 - 1.`);
      value = next;
      return encoder.encode(String(value));
    },
    query: () => encoder.encode(String(value)),
    snapshot: () => [encoder.encode(String(value))],
    async restore(chunks) {
      let text = "";
      for await (const chunk of chunks) text += decoder.decode(chunk);
      value = Number(text);
    },
  };
}

/** A counter, from outside. */
export interface CounterClient {
  /** Adds a whole number, which may be below 0. @returns what it comes to. @throws as a node's `propose`; `Rejection` for what cannot be held. */
  add(amount: number, options?: CallOptions): Promise<number>;
  value(options?: QueryOptions): Promise<number>;
}

/** Speaks to a cluster whose state machine is `counter()`. In a session, a count that is sent again counts once. */
export function counterClient(target: Replicated): CounterClient {
  return {
    async add(amount, options) {
      return Number(decoder.decode(await target.propose(encoder.encode(String(amount)), options)));
    },
    async value(options) {
      return Number(decoder.decode(await target.query(new Uint8Array(0), options)));
    },
  };
}

function numberOf(command: Uint8Array): number {
  const text = decoder.decode(command);
  const amount = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(amount)) throw new Rejection("A counter adds whole numbers, in decimal digits.");
  return amount;
}
