import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median, type Row, rowOf } from "../row.js";
import { createIdentities, type Identities } from "./credentials.js";
import { openMatrixai } from "./wires/matrixai.js";
import { openNativeLoop } from "./wires/native-loop.js";
import { openNodeTls } from "./wires/node-tls.js";
import { openOctopii } from "./wires/octopii.js";
import type { Wire } from "./wires/wire.js";

const mebibyte = 1024 * 1024;
const rounds = 9;

type Partly = Omit<Wire, "calls"> & Partial<Pick<Wire, "calls">>;

/** How much each wire is given to do in one round: enough to last some tenths of a second. */
interface Load {
  readonly bulkBytes: number;
  readonly echoes: number;
  readonly calls: number;
}

interface Contender extends Load {
  readonly open: (identities: Identities) => Promise<Partly>;
}

const contenders = {
  quic: { open: (identities) => openOctopii("quic", identities), bulkBytes: 64 * mebibyte, echoes: 4_000, calls: 10_000 },
  "native quiche in a bare loop": { open: openNativeLoop, bulkBytes: 64 * mebibyte, echoes: 4_000, calls: 10_000 },
  "the API of @matrixai/quic": { open: openMatrixai, bulkBytes: 2 * mebibyte, echoes: 400, calls: 300 },
  tcp: { open: (identities) => openOctopii("tcp", identities), bulkBytes: 256 * mebibyte, echoes: 4_000, calls: 10_000 },
  "node:tls": { open: openNodeTls, bulkBytes: 256 * mebibyte, echoes: 4_000, calls: 0 },
} satisfies Record<string, Contender>;

type Name = keyof typeof contenders;

/** One wire's figures: MB/s, milliseconds, calls per second. */
interface Samples {
  readonly bulk: number[];
  readonly echo: number[];
  readonly calls: number[];
}

const loop = "native quiche in a bare loop";
const api = "the API of @matrixai/quic";
const tls = "node:tls";
const inFlight = 32;

/** QUIC and TCP beside what they stand on, and QUIC beside the published API of the same engine. Both ends are in this process. */
export async function benchTransport(progress: (line: string) => void): Promise<Row[]> {
  const identities = await createIdentities();
  const samples = new Map<Name, Samples>();
  const wires = new Map<Name, Partly>();
  for (const name of names()) {
    wires.set(name, await contenders[name].open(identities));
    samples.set(name, { bulk: [], echo: [], calls: [] });
  }
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    // Each measure of all wires before the next one: figures that are compared were taken within seconds of each other.
    for (const measure of measures) {
      for (const [name, wire] of wires) await runMeasure(measure, name, wire, round === 0 ? null : samples.get(name), progress);
    }
  }
  for (const wire of wires.values()) await wire.close();
  const of = (name: Name): Samples => samples.get(name) ?? { bulk: [], echo: [], calls: [] };
  return [
    ...quicBesideApi(of("quic"), of(api)),
    ...quicBesideLoop(of("quic"), of(loop)),
    ...tcpBesideTls(of("tcp"), of(tls)),
    openStreams("quic", progress),
    openStreams("tcp", progress),
  ];
}

const names = (): Name[] => Object.keys(contenders) as Name[];

type Measure = keyof Samples;
const measures: readonly Measure[] = ["bulk", "echo", "calls"];

const run: Readonly<Record<Measure, (wire: Partly, load: Load) => Promise<number | null>>> = {
  bulk: async (wire, { bulkBytes }) => bulkBytes / 1e6 / (await seconds(() => wire.bulk(bulkBytes))),
  echo: async (wire, { echoes }) => median(await wire.echo(echoes)),
  calls: async (wire, { calls }) => (wire.calls === undefined ? null : calls / (await seconds(() => wire.calls?.(calls, inFlight)))),
};

const shown: Readonly<Record<Measure, (value: number) => string>> = {
  bulk: (value) => `${value.toFixed(1)} MB/s`,
  echo: (value) => `echo p50 ${value.toFixed(3)} ms`,
  calls: (value) => `${Math.round(value).toLocaleString("en")} calls/s`,
};

async function runMeasure(
  measure: Measure,
  name: Name,
  wire: Partly,
  samples: Samples | null | undefined,
  progress: (line: string) => void,
): Promise<void> {
  const value = await run[measure](wire, contenders[name]);
  if (value === null || samples === null || samples === undefined) return;
  samples[measure].push(value);
  progress(`transport, ${name}: ${shown[measure](value)}`);
}

async function seconds(run: () => Promise<void> | undefined): Promise<number> {
  const startedAt = performance.now();
  await run();
  return (performance.now() - startedAt) / 1000;
}

/** A row whose goal is a multiple of what the peer does in the same run. */
function beside(name: string, unit: string, ours: number[], peer: string, peers: number[], goalRatio: number): Row {
  const better = unit === "ms" ? "less" : "more";
  return rowOf({ name: `transport/${name}`, unit, better, samples: ours, goalRatio, peer: { name: peer, samples: peers } });
}

function quicBesideApi(quic: Samples, peer: Samples): Row[] {
  return [
    beside("quic-bulk-beside-api", "MB/s", quic.bulk, api, peer.bulk, 35),
    beside("quic-stream-per-call-beside-api", "1/s", quic.calls, api, peer.calls, 25),
    beside("quic-echo-p50-beside-api", "ms", quic.echo, api, peer.echo, 1 / 5),
  ];
}

function quicBesideLoop(quic: Samples, peer: Samples): Row[] {
  return [
    beside("quic-bulk-beside-loop", "MB/s", quic.bulk, loop, peer.bulk, 0.9),
    beside("quic-stream-per-call-beside-loop", "1/s", quic.calls, loop, peer.calls, 0.9),
    beside("quic-echo-p50-beside-loop", "ms", quic.echo, loop, peer.echo, 1 / 0.9),
  ];
}

function tcpBesideTls(tcp: Samples, peer: Samples): Row[] {
  return [
    beside("tcp-bulk-beside-tls", "MB/s", tcp.bulk, tls, peer.bulk, 0.8),
    beside("tcp-echo-p50-beside-tls", "ms", tcp.echo, tls, peer.echo, 1.3),
  ];
}

function openStreams(kind: "quic" | "tcp", progress: (line: string) => void): Row {
  const script = fileURLToPath(new URL("./open-streams.ts", import.meta.url));
  const { stdout } = spawnSync(process.execPath, ["--expose-gc", "--import", "tsx", script, kind], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const memory = Number.parseFloat(stdout);
  progress(`transport, ${kind}: 10,000 open streams take ${memory.toFixed(1)} MiB`);
  return rowOf({ name: `transport/${kind}-10000-open-streams`, unit: "MiB", better: "less", samples: [memory], goal: 100 });
}
