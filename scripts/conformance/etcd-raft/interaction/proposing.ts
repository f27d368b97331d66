import type { CoreDriver } from "./core-driver.js";
import { singleChanges } from "./describe.js";
import { type Party, type Proposal, proposalTo } from "./parcel.js";
import { encodeConfigurationChange, type RaftOutput } from "./raft.js";

/** What the core made of a proposal, and the data of its entry. */
interface Outcome {
  readonly output: RaftOutput;
  readonly data: Uint8Array;
}

/** Proposes on a node, which passes it on if it is not the leader. @param from - who had the wish first. @returns etcd's complaint, or null. */
export function propose(driver: CoreDriver, proposal: Proposal, from: Party): string | null {
  const { output, data } = proposal.kind === "command" ? proposeCommand(driver, proposal.data) : proposeChange(driver, proposal);
  if (output.proposed?.refusal == null && output.changed?.accepted !== false) return null;
  const { role, leaderId } = driver.status;
  if (role !== "follower" || leaderId === 0) return "raft proposal dropped";
  driver.send(proposalTo(leaderId, from, proposal, data));
  return null;
}

function proposeCommand(driver: CoreDriver, data: Uint8Array): Outcome {
  return { output: driver.step({ proposals: [data] }), data };
}

const reasonsOfAnyProposal: readonly string[] = ["notLeader", "removed", "transferring"];

function proposeChange(driver: CoreDriver, { change, isV1 }: Proposal & { readonly kind: "change" }): Outcome {
  const output = driver.step({ change: { change, mustKeepQuorum: false } });
  const { changed } = output;
  if (changed?.accepted === false && !reasonsOfAnyProposal.includes(changed.refusal)) {
    // etcd puts an empty entry in the place of a change that does not fit.
    return proposeCommand(driver, new Uint8Array(0));
  }
  const [entry] = changed?.accepted === true ? driver.view.log.slice(changed.index, changed.index) : [];
  const data = entry?.data ?? encodeConfigurationChange(change);
  if (isV1) singleChanges.add(data);
  return { output, data };
}
