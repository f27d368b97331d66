import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { benchRaft } from "./raft/raft.js";
import type { Row } from "./row.js";
import { benchTransport } from "./transport/transport.js";
import { benchWalrus } from "./walrus/walrus.js";

const groups: Readonly<Record<string, (progress: (line: string) => void) => Promise<Row[]>>> = {
  raft: benchRaft,
  transport: benchTransport,
  walrus: benchWalrus,
};

const progress = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "string" } } });
  const names = positionals.length === 0 ? Object.keys(groups) : positionals;
  const unknown = names.filter((name) => !Object.hasOwn(groups, name));
  if (unknown.length > 0) {
    progress(`There is no benchmark "${unknown.join('", "')}"; there are ${Object.keys(groups).join(", ")}.`);
    return 2;
  }
  const rows: Row[] = [];
  for (const name of names) rows.push(...((await groups[name]?.(progress)) ?? []));
  for (const row of rows) process.stdout.write(`${line(row)}\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...context(), rows }, null, 2)}\n`);
  const met = rows.filter((row) => row.met === true).length;
  const missed = rows.filter((row) => row.met === false).length;
  const missing = rows.filter((row) => row.peer !== null && row.peerValue === null).length;
  process.stdout.write(`${met} goals met, ${missed} missed${missing > 0 ? `, ${missing} peers missing` : ""}\n`);
  return missed + missing === 0 ? 0 : 1;
}

function line({ name, value, unit, peer, peerValue, ratio, goal, goalRatio, met, samples }: Row): string {
  const verdict = met === null ? "" : met ? "met" : "MISSED";
  const beside =
    peer === null ? "" : `, ${peer}: ${peerValue === null ? "missing" : show(peerValue)}${ratio === null ? "" : ` (${ratio.toFixed(2)}x)`}`;
  const spread = samples.length > 1 ? ` [${show(Math.min(...samples))} to ${show(Math.max(...samples))}]` : "";
  const aim = goalRatio !== null ? `${goalRatio.toFixed(2)}x` : goal === null ? null : show(goal);
  return `${name}: ${show(value)} ${unit}${spread}${beside}${aim === null ? "" : `, goal ${aim}: ${verdict}`}`;
}

const show = (value: number): string => (Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2));

function context(): Record<string, unknown> {
  const [cpu] = cpus();
  return {
    machine: {
      cpu: cpu?.model ?? "unknown",
      cores: cpus().length,
      memoryBytes: totalmem(),
      platform: `${process.platform} ${process.arch}`,
    },
    versions: { node: process.version, v8: process.versions.v8 },
    commit: execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim(),
  };
}

process.exitCode = await main();
