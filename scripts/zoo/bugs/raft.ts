import { mutations } from "../../mutation/mutations.js";
import type { Bug } from "../bug.js";

/**
 * Those of `pnpm mutation` that a whole cluster can show. The others weaken what only a liar would use, or what a second safeguard holds, or are
 * slow rather than wrong.
 */
const shown: readonly string[] = [
  "vote twice in a term",
  "forget whom the vote went to",
  "vote for a shorter log",
  "vote for a log that ends in an older term",
  "send a vote before it is written",
  "write a new term without a flush",
  "count the last campaign's votes",
  "keep the vote of the last term",
  "half of the voters are a majority",
  "commit an earlier term's entry by count",
  "acknowledge entries before they are written",
  "count the own entries before they are written",
  "append after an entry that does not match",
  "cut entries that match",
  "tell a follower of commits beyond its match",
  "keep the durable index when the log is cut",
  "believe a write that was overtaken (A→B→A)",
  "apply what is not on the own disk",
  "acknowledge a snapshot before it is installed",
  "never free the window",
  "commit by the incoming half alone",
  "elect by the incoming half alone",
  "count learners towards the commit",
  "enter a joint configuration without its old half",
  "never leave a joint configuration",
  "campaign while a committed change is not applied",
  "a snapshot's configuration is not taken over",
  "read before the own term has committed",
  "confirm a read by an earlier round",
  "confirm a read without anybody",
  "a lease as long as the shield and more",
  "a lease ignores how clocks differ",
];

/** Mistakes that show where both safeguards against them are gone. */
const doubled: readonly Bug[] = [
  {
    name: "lead by an own vote that is not written",
    home: "raft",
    patches: [
      {
        file: "raft/src/core/election.ts",
        find: 'raft.promises.push({ type: "RequestVoteResponse", group: raft.group, from: raft.id, to: raft.id, term, granted: true });',
        replace: "raft.votes.set(raft.id, true);",
      },
      {
        file: "raft/src/core/election.ts",
        find: 'raft.promises.push({ type: "RequestVote",',
        replace: 'raft.messages.push({ type: "RequestVote",',
      },
    ],
  },
  {
    name: "install a snapshot over newer commits",
    home: "raft",
    patches: [
      {
        file: "raft/src/core/following.ts",
        find: "if (snapshot.index <= log.committedIndex) return ignored();",
        replace: "",
      },
      {
        file: "raft/src/node/driver.ts",
        find: "    if (message.snapshot.index > commitIndex) {",
        replace: "    if (message.snapshot.index > commitIndex - 1_000) {",
      },
    ],
  },
];

const single = shown.map((name): Bug => {
  const mutation = mutations.find((one) => one.name === name);
  if (mutation === undefined) throw new Error(`pnpm mutation has no mistake called "${name}" any more; bring the zoo up to date.`);
  const file = `raft/src/${mutation.file}`;
  const { find, replace, also } = mutation;
  const patches = [{ file, find, replace }, ...(also === undefined ? [] : [{ file, ...also }])];
  return { name, home: "raft", patches };
});

/** Mistakes in @octopii/raft. */
export const raftBugs: readonly Bug[] = [...single, ...doubled];
