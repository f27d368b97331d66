import type { TraceRecord } from "@octopii/testing";

/** What a page is drawn from: short names, for there are many. */
export interface Lanes {
  /** Machines in the order of their lanes. */
  readonly nodes: readonly string[];
  /** `[time, lane (-1: the world), kind, detail, group]`, in order of time. */
  readonly events: readonly (readonly [number, number, string, string | number, EventGroup])[];
  /** `[lane, from, to, role, term]`: `down` while there is no process. */
  readonly spans: readonly (readonly [number, number, number, string, number])[];
  /** `[from lane, to lane, time, what]`. */
  readonly messages: readonly (readonly [number, number, number, string])[];
  readonly end: number;
}

/** What a reader can choose to see. */
export type EventGroup = "role" | "commit" | "log" | "vote" | "fault" | "disk" | "client" | "process" | "operator" | "violation" | "other";

const groups: readonly (readonly [RegExp, EventGroup])[] = [
  [/^violation$/, "violation"],
  [/^fault:|^net:(fault|heal)$/, "fault"],
  [/^raft:(commit)$|^node:applied$/, "commit"],
  [/^raft:(configuration|compact|snapshot-.*)$|^node:(append|truncate|restored|appendRejected|change.*)$/, "log"],
  [/^raft:/, "role"],
  [/^node:(vote|voteCounted|campaign|leader|quorumLost|transfer)$/, "vote"],
  [/^disk:(stall|flip|power|restore|rotOnRead|misdirect)$/, "disk"],
  [/^client:/, "client"],
  [/^operator:/, "operator"],
  [/^process:|^member:|^node:restore$/, "process"],
];

/** What happens thousands of times and says little: deliveries, timers, operations of disks. */
const isNoise = (kind: string): boolean => /^(net:(arrival|retransmit|lost|cut)|timer|turn|disk:[a-z]+[A-Z]?[a-zA-Z]*)$/.test(kind);

const groupOf = (kind: string): EventGroup => groups.find(([pattern]) => pattern.test(kind))?.[1] ?? "other";

/** Makes lanes of a trace. */
export function lanesOf(records: readonly TraceRecord[]): Lanes {
  const nodes = [...new Set(records.map(({ node }) => node))].filter((node) => /^n\d+$/.test(node)).sort(byNumber);
  const laneOf = new Map(nodes.map((node, lane) => [node, lane]));
  const end = records.reduce((latest, { time }) => Math.max(latest, time), 0);
  const shown = records.filter(({ kind }) => groupOf(kind) !== "other" || !isNoise(kind));
  return {
    nodes,
    events: shown.map(({ time, node, kind, detail }) => [time, laneOf.get(node) ?? -1, kind, withNode(node, detail), groupOf(kind)]),
    spans: nodes.flatMap((node, lane) => spansOf(records, node, lane, end)),
    messages: records.flatMap((record) => messageOf(record, laneOf)),
    end,
  };
}

const byNumber = (a: string, b: string): number => Number(a.slice(1)) - Number(b.slice(1));

/** Clients share a lane, so their names stand beside what they say. */
const withNode = (node: string, detail: string | number): string | number => (/^(n\d+|world)$/.test(node) ? detail : `${node}: ${detail}`);

/** From one change of role, or of life, to the next. */
function spansOf(records: readonly TraceRecord[], node: string, lane: number, end: number): Lanes["spans"][number][] {
  const spans: Lanes["spans"][number][] = [];
  let [since, role, term] = [0, "down", 0];
  const next = (time: number, nextRole: string, nextTerm: number): void => {
    if (time > since) spans.push([lane, since, time, role, term]);
    [since, role, term] = [time, nextRole, nextTerm];
  };
  for (const { time, node: of, kind, detail } of records) {
    if (of !== node) continue;
    if (kind === "process:crash" || kind === "process:kill") next(time, "down", term);
    else if (kind === "process:pause") next(time, "paused", term);
    else if (kind === "process:start" || kind === "process:resume") next(time, "follower", term);
    else if (/^raft:(follower|preCandidate|candidate|leader)$/.test(kind)) next(time, kind.slice("raft:".length), Number(detail));
  }
  next(end, "", 0);
  return spans;
}

/** What a node says that it has of another. */
function messageOf({ time, node, kind, detail }: TraceRecord, laneOf: ReadonlyMap<string, number>): Lanes["messages"][number][] {
  const to = laneOf.get(node);
  if (to === undefined) return [];
  const from = laneOf.get(kind === "net:arrival" ? String(detail) : (/\bn\d+\b/.exec(String(detail))?.[0] ?? ""));
  if (from === undefined || from === to) return [];
  if (kind === "net:arrival") return [[from, to, time, "packet"]];
  if (kind === "node:vote") return [[from, to, time, `asks for a vote: ${detail}`]];
  if (kind === "node:voteCounted") return [[from, to, time, String(detail)]];
  return kind === "node:appendRejected" ? [[from, to, time, `refuses entries ${detail}`]] : [];
}
