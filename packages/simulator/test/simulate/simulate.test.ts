import { describe, expect, it } from "vitest";
import { type SimulateOptions, simulate } from "../../src/index.js";
import { Account, type BankInput, bankWorkload } from "./bank.js";

/** Snapshots after every third entry, so that they are restored often. */
const plan = { tuning: { snapshotEntries: 3, tailEntries: 0 }, clients: 2 };

const bank = (seed: number, stateMachine: () => Account): SimulateOptions<BankInput, number> => ({
  seed,
  nodes: 3,
  operations: 40,
  faults: ["kill", "power", "isolate"],
  changes: ["transfer"],
  stateMachine,
  workload: bankWorkload,
  digest: (machine) => String((machine as Account).balance),
  plan,
});

describe("a user's state machine", () => {
  it("keeps its promises in a simulated cluster when it is sound", { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const result = await simulate(bank(seed, () => new Account()));
      expect(result).toMatchObject({ seed, nodes: 3, failure: null });
      expect(result.acknowledged).toBeGreaterThan(0);
    }
  });

  it("is found out when its snapshots lose a cent", { timeout: 60_000 }, async () => {
    const broken: string[] = [];
    for (let seed = 1; seed <= 5; seed++) {
      const { failure } = await simulate(bank(seed, () => new Account((balance) => balance - 0.01)));
      if (failure !== null) broken.push(failure.oracle);
    }
    expect(broken.length).toBeGreaterThan(0);
    expect(["linearizability", "equal state"]).toEqual(expect.arrayContaining([broken[0]]));
  });

  it("is simulated only as far as that makes sense", async () => {
    const options = { ...bank(1, () => new Account()), nodes: 0, operations: -1, faults: ["flood" as never] };
    await expect(simulate(options)).rejects.toThrow(/nodes must be .* operations must be .* there is no fault flood/);
  });
});
