import type { Model, Operation } from "./model.js";
import type { Evidence } from "./stuck-point.js";

const SHOWN_PREFIX = 8;
const SHOWN_OPEN = 16;
const SHOWN_CHARACTERS = 200;

/** What a violation means, in lines for people: the answer that nothing explains, what was possible instead, and what was under way. */
export function explainViolation<State, Input, Output>(
  model: Model<State, Input, Output>,
  partition: string,
  evidence: Evidence<State, Input, Output>,
): string {
  const { stuckAt, longestPrefix, states, open } = evidence;
  const where = partition === "" ? model.name : `${model.name}, key ${JSON.stringify(partition)}`;
  const lines = [
    `Not linearizable (${where}): no order of the operations explains ${describe(model, stuckAt)}.`,
    `Everything that returned before ${stuckAt.return} has an order, but each leaves a state in which that answer is impossible:`,
    ...states.map((state) => `  ${describeState(model, state)}`),
    `The longest order found, ${counted(longestPrefix.length, SHOWN_PREFIX, "last")}:`,
    ...longestPrefix.slice(-SHOWN_PREFIX).map((operation) => `  ${describe(model, operation)}`),
    `Called before then but not in that order, ${counted(open.length, SHOWN_OPEN, "first")}:`,
    ...open.slice(0, SHOWN_OPEN).map((operation) => `  ${describe(model, operation)}`),
  ];
  return lines.join("\n");
}

function counted(total: number, shown: number, which: string): string {
  const operations = `${total} operation${total === 1 ? "" : "s"}`;
  return total <= shown ? operations : `${operations}, the ${which} ${shown} shown`;
}

function describe<State, Input, Output>(model: Model<State, Input, Output>, operation: Operation<Input, Output>): string {
  const { client, input, output } = operation;
  const what = model.describe?.(input, output) ?? `${JSON.stringify(input)} -> ${output === undefined ? "?" : JSON.stringify(output)}`;
  const until = operation.return === Infinity ? "never returned" : `returned ${operation.return}`;
  return `client ${client}: ${shorten(what)} (called ${operation.call}, ${until})`;
}

function describeState<State, Input, Output>(model: Model<State, Input, Output>, state: State): string {
  return shorten(model.describeState?.(state) ?? JSON.stringify(state) ?? String(state));
}

/** Keeps both ends: an append's news is at the back. */
function shorten(text: string): string {
  if (text.length <= SHOWN_CHARACTERS) return text;
  const half = SHOWN_CHARACTERS / 2;
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}
