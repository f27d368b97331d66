import type { Arguments } from "../arguments.js";
import type { Command } from "../commands.js";
import { describeEntry } from "../describe.js";
import type { Environment } from "../environment.js";
import type { ScenarioNode } from "../scenario-node.js";

/**
 * `assert leader=ID`, `assert leader=0`, `assert commit id=ID index=N`, `assert applied id=ID index=N`, `assert content id=ID text=WORD`,
 * `assert same-log ID…`, `assert same-state ID…`. What holds prints nothing.
 */
export const assertCommand: Command = { options: ["leader", "id", "index", "text"], run: assert };

function assert(environment: Environment, args: Arguments): void {
  if (args.has("leader")) return assertLeader(environment, args.required("leader"));
  const [what, ...ids] = args.words;
  switch (what) {
    case "commit":
      return expectEqual("commit index", environment.node(args.required("id")).status.commitIndex, args.required("index"));
    case "applied":
      return expectEqual("applied index", environment.node(args.required("id")).status.appliedIndex, args.required("index"));
    case "content":
      return expectEqual("content", environment.node(args.required("id")).parts.machine.content, args.text("text", ""));
    case "same-log":
      return assertSame(environment, "log", ids, describeLog);
    case "same-state":
      return assertSame(environment, "state", ids, describeState);
    default:
      throw new Error(`nothing is known of ${what}`);
  }
}

/** Of the latest term that anybody is in; 0 for nobody. */
function assertLeader(environment: Environment, leaderId: number): void {
  const statuses = environment.nodes.map(({ status }) => status);
  const term = Math.max(...statuses.map(({ currentTerm }) => currentTerm));
  const leaders = statuses.filter(({ role, currentTerm }) => role === "leader" && currentTerm === term).map(({ id }) => id);
  expectEqual(`leader of term ${term}`, leaders.join(" and ") || "0", String(leaderId));
}

function expectEqual(what: string, found: string | number, expected: string | number): void {
  if (found !== expected) throw new Error(`the ${what} is ${found}, not ${expected}`);
}

/** All nodes must give the same description. */
function assertSame(environment: Environment, what: string, ids: readonly string[], describe: (node: ScenarioNode) => string): void {
  if (ids.length < 2) throw new Error(`name at least two nodes whose ${what} must be the same`);
  const found = new Set(ids.map((id) => describe(environment.node(Number(id)))));
  if (found.size > 1) throw new Error(`the nodes differ in their ${what}: ${[...found].join(" / ")}`);
}

function describeLog({ parts: { storage } }: ScenarioNode): string {
  return storage.entries.map(describeEntry).join(", ");
}

function describeState({ parts: { machine } }: ScenarioNode): string {
  return `"${machine.content}" at ${machine.latest.index}`;
}
