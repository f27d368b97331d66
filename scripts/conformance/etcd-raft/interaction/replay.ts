import type { Directive } from "../../data-driven.js";
import { electionTicks } from "./add-nodes.js";
import { Arguments } from "./arguments.js";
import { type Command, etcdCommands } from "./commands.js";
import { Environment } from "./environment.js";

const setTimeoutCommand = "set-randomized-election-timeout";

/** Begins a scenario: no nodes at first. @param directives - all of it, since election timeouts are drawn before they are asked for. */
export function createScenarioReplay(directives: readonly Directive[], commands: Readonly<Record<string, Command>> = etcdCommands) {
  const environment = new Environment();
  const timeouts = timeoutsOf(directives);
  const concerned = new Set(timeouts.map(({ id }) => id));
  const planNextDraws = (): void => {
    for (const id of concerned)
      environment.randomOf(id).extraTicks = (timeouts.find((one) => one.id === id)?.ticks ?? electionTicks) - electionTicks;
  };
  planNextDraws();
  return (directive: Directive): string => {
    const error = attempt(() => carryOut(environment, commands, directive));
    if (directive.command === setTimeoutCommand) {
      timeouts.shift();
      planNextDraws();
    }
    const text = `${environment.printer.take()}${error ?? ""}`;
    return text === "" ? "ok" : text.replace(/\n$/, "");
  };
}

function carryOut(environment: Environment, commands: Readonly<Record<string, Command>>, directive: Directive): void {
  const command = Object.hasOwn(commands, directive.command) ? commands[directive.command] : undefined;
  if (command === undefined) throw new Error("unknown command");
  command.run(environment, new Arguments(directive, command.options), directive);
}

/** @returns what was thrown, as text. */
function attempt(run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message;
  }
}

/** The timeouts that the scenario sets, in order. Until it does, each node draws what it will next be asked for. */
function timeoutsOf(directives: readonly Directive[]): { id: number; ticks: number }[] {
  return directives
    .filter(({ command }) => command === setTimeoutCommand)
    .map((directive) => {
      const args = new Arguments(directive, ["timeout"]);
      return { id: args.id(0), ticks: args.required("timeout") };
    });
}
