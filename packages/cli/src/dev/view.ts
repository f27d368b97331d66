import { relative } from "node:path";
import type { DevCluster } from "./cluster.js";
import { Narrator } from "./narrator.js";
import { fit, Screen } from "./screen.js";
import { renderTable } from "./table.js";
import { clockTime, type Paint, widthOf } from "./text.js";

/** How a development cluster is shown to whoever started it. */
export interface View {
  readonly paint: Paint;
  readonly columns: () => number;
  /** Prints lines for good. */
  readonly print: (lines: readonly string[]) => void;
  /** Something about the cluster may have changed. */
  readonly update: () => void;
  /** Prints the table of the nodes. */
  readonly status: () => void;
  readonly close: () => void;
}

/** Where a view gets what people type. */
export interface ViewInput {
  readonly line: (text: string) => void;
  readonly interrupt: () => void;
  readonly complete: (text: string) => string[];
}

/** A path as it is shortest to say from here. */
export function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere !== "" && fromHere.length < path.length && !fromHere.startsWith("..") ? fromHere : path;
}

/** For pipes and files: a line for each thing that happens, and the table when somebody asks for it. */
export function createPlainView(cluster: () => DevCluster | null, output: NodeJS.WriteStream, paint: Paint): View {
  const narrator = new Narrator(() => performance.now());
  const columns = (): number => output.columns || 100;
  const print = (lines: readonly string[]): void => {
    for (const line of lines) output.write(`${line}\n`);
  };
  return {
    paint,
    columns,
    print,
    update: () => {
      for (const { text } of narrator.tell(cluster()?.report() ?? [])) print([`${clockTime(new Date())}  ${text}`]);
    },
    status: () => print(renderTable(cluster()?.report() ?? [], columns() - 1, paint)),
    close: () => undefined,
  };
}

/** For a terminal: the table stays in view above the prompt, and what happens goes above it. */
export function createLiveView(
  cluster: () => DevCluster | null,
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  paint: Paint,
  handlers: ViewInput,
): View {
  const narrator = new Narrator(() => performance.now());
  const screen = new Screen(input, output, paint, handlers);
  const print = (lines: readonly string[]): void => screen.print(lines);
  const update = (): void => {
    const reports = cluster()?.report() ?? [];
    const news = narrator.tell(reports).map(({ text, tone }) => `${paint("quiet", clockTime(new Date()))}  ${paint(tone, text)}`);
    if (news.length > 0) screen.print(news);
    screen.show(liveBlock(cluster(), screen.columns - 1, paint));
  };
  output.on("resize", update);
  return {
    paint,
    columns: () => screen.columns,
    print,
    update,
    status: () => print(renderTable(cluster()?.report() ?? [], screen.columns - 1, paint)),
    close: () => {
      output.off("resize", update);
      screen.close();
    },
  };
}

/** What stays in view: the nodes, and a line on the whole. */
function liveBlock(cluster: DevCluster | null, width: number, paint: Paint): string[] {
  if (cluster === null) return ["", paint("quiet", " starting the nodes…")];
  const reports = cluster.report();
  const up = reports.filter(({ state }) => state === "up").length;
  const state = stateOf(cluster.leader(), up, reports.length, paint);
  const [rest] = fit([` · ${up} of ${reports.length} up · data in ${shortPath(cluster.directory)}`], width - widthOf(state) - 1);
  return ["", ...renderTable(reports, width, paint), "", ` ${state}${paint("quiet", rest ?? "")}`];
}

function stateOf(leader: number | null, up: number, all: number, paint: Paint): string {
  if (leader !== null) return `node ${leader} leads`;
  if (up === 0) return "no node is up";
  return paint("warning", up * 2 > all ? "no leader yet" : "no leader: no majority is up");
}
