import { addNodes, ownAddNodesOptions } from "../add-nodes.js";
import { type Command, etcdCommands } from "../commands.js";
import { assertCommand } from "./assertions.js";
import { faultCommands } from "./faults.js";

/** The commands of our own scenarios: etcd's, and what those leave out. */
export function createOwnCommands(): Readonly<Record<string, Command>> {
  let reads = 0;
  return {
    ...etcdCommands,
    ...faultCommands,
    "add-nodes": { options: ownAddNodesOptions, run: (environment, args) => addNodes(environment, args, false) },
    assert: assertCommand,
    /** `read-index ID [lease=true]`: asks for an index from which a read is linearizable. Reads are numbered through the scenario. */
    "read-index": {
      options: ["lease"],
      run: (environment, args) => {
        environment.node(args.id(0)).step({ reads: [{ id: ++reads, lease: args.flag("lease") }] });
      },
    },
    /** `tick ID… [ticks=1]`: time passes for these nodes, for one after the other. */
    tick: {
      options: ["ticks"],
      run: (environment, args) => {
        for (const id of args.ids) for (let left = args.number("ticks", 1); left > 0; left--) environment.node(id).tick();
      },
    },
  };
}
