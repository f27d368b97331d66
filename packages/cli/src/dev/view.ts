import { relative } from "node:path";
import type { DevCluster } from "./cluster.js";
import { Narrator } from "./narrator.js";
import { Screen } from "./screen.js";
import { renderTable } from "./table.js";
import { clockTime, cut, type Paint, widthOf, wrap } from "./text.js";

/** How a development cluster is shown to whoever started it. */
export interface View {
  readonly paint: Paint;
  /** How wide a line may be; without end where nobody looks at it in a terminal. */
  readonly columns: () => number;
  /** Prints lines for good. */
  readonly print: (lines: readonly string[]) => void;
  /** Prints a sentence for good, in as many lines as it takes. */
  readonly say: (sentence: string) => void;
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
  const columns = (): number => (output.isTTY === true ? output.columns || 80 : Number.POSITIVE_INFINITY);
  const print = (lines: readonly string[]): void => {
    for (const line of lines) output.write(`${line}\n`);
  };
  return {
    paint,
    columns,
    print,
    say: (sentence) => print(wrap(sentence, columns())),
    update: () => {
      for (const { text } of narrator.tell(cluster()?.report() ?? [])) print(wrapNews(text, columns()));
    },
    status: () => print(renderTable(cluster()?.report() ?? [], (output.columns || 81) - 1, paint)),
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
  // Where the last column is used too, some terminals wrap.
  const columns = (): number => screen.columns - 1;
  const update = (): void => {
    const reports = cluster()?.report() ?? [];
    const news = narrator.tell(reports).flatMap(({ text, tone }) => {
      return wrapNews(text, columns()).map((line) => paint("quiet", line.slice(0, clockColumns)) + paint(tone, line.slice(clockColumns)));
    });
    if (news.length > 0) screen.print(news);
    screen.show(liveBlock(cluster(), columns(), paint));
  };
  output.on("resize", update);
  return {
    paint,
    columns,
    print,
    say: (sentence) => print(wrap(sentence, columns())),
    update,
    status: () => print(renderTable(cluster()?.report() ?? [], columns(), paint)),
    close: () => {
      output.off("resize", update);
      screen.close();
    },
  };
}

/** A time of day and two blanks. */
const clockColumns = 10;

/** What happened, and when, with nothing else in the time's columns. */
function wrapNews(text: string, columns: number): string[] {
  return wrap(`${clockTime(new Date())}  ${text}`, columns, clockColumns);
}

/** What stays in view: the nodes, and a line on the whole. */
function liveBlock(cluster: DevCluster | null, width: number, paint: Paint): string[] {
  if (cluster === null) return ["", paint("quiet", " starting the nodes…")];
  const reports = cluster.report();
  const up = reports.filter(({ state }) => state === "up").length;
  const state = stateOf(cluster.leader(), up, reports.length, paint);
  const rest = cut(` · ${up} of ${reports.length} up · data in ${shortPath(cluster.directory)}`, width - widthOf(state) - 1);
  return ["", ...renderTable(reports, width, paint), "", ` ${state}${paint("quiet", rest)}`];
}

function stateOf(leader: number | null, up: number, all: number, paint: Paint): string {
  if (leader !== null) return `node ${leader} leads`;
  if (up === 0) return "no node is up";
  return paint("warning", up * 2 > all ? "no leader yet" : "no leader: no majority is up");
}
