import type { Replicated, StateMachine } from "@octopii/core";
import type { Model } from "../../src/index.js";
import type { Workload } from "../../src/service/service.js";

/** A user's state machine: one account. `deposit` gives the new balance; a query gives the balance. */
export class Account implements StateMachine {
  #balance = 0;
  readonly #restoreTo: (balance: number) => number;

  /** @param restoreTo - what a snapshot's balance becomes: the identity in a sound one. */
  constructor(restoreTo: (balance: number) => number = (balance) => balance) {
    this.#restoreTo = restoreTo;
  }

  get balance(): number {
    return this.#balance;
  }

  apply(command: Uint8Array): Uint8Array {
    this.#balance += decode(command);
    return encode(this.#balance);
  }

  query(): Uint8Array {
    return encode(this.#balance);
  }

  *snapshot(): Generator<Uint8Array> {
    yield encode(this.#balance);
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const bytes: number[] = [];
    for await (const chunk of chunks) bytes.push(...chunk);
    this.#balance = this.#restoreTo(decode(new Uint8Array(bytes)));
  }
}

/** What a client of the bank asks for. */
export type BankInput = { readonly deposit: number } | "balance";

const model: Model<number, BankInput, number> = {
  name: "account",
  init: () => 0,
  step: (balance, input, output) => {
    const next = input === "balance" ? balance : balance + input.deposit;
    return output === undefined || output === next ? next : null;
  },
  isReadOnly: (input) => input === "balance",
};

/** Deposits of different powers, so that sums tell which were made. */
export const bankWorkload: Workload<BankInput, number> = {
  next: ({ random, number }) => (random.chance(1, 2) ? "balance" : { deposit: number }),
  call: async (cluster: Replicated, input, consistency) =>
    decode(input === "balance" ? await cluster.query(new Uint8Array(), { consistency }) : await cluster.propose(encode(input.deposit))),
  model,
  finalReads: () => ["balance"],
};

function encode(amount: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, amount);
  return bytes;
}

const decode = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
