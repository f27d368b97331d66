import type { Connection, Stream } from "@octopii/interfaces";
import { createSimulation, type MicrotaskMode, type SimulatedProcess, type TraceRecord, type World } from "../../src/index.js";

/** What a run of the scenario came to. */
export interface ScenarioResult {
  readonly hash: string;
  readonly events: number;
  readonly messages: number;
  readonly files: string;
}

export interface ScenarioOptions {
  readonly microtasks?: MicrotaskMode;
  readonly traceSink?: (record: TraceRecord) => void;
}

const NAMES = ["a", "b", "c"];

function echo(stream: Stream): void {
  stream.onReadable = () => {
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) stream.write(chunk);
    if (stream.ended) stream.end();
  };
}

/** Writes records to a file, some synced and some not, for as long as the process lives. */
async function writeLog(process: SimulatedProcess): Promise<void> {
  const { fileSystem, scheduler, random } = process;
  const path = `/log-${process.incarnation}`;
  const file = await fileSystem.open(path, { mode: "create" });
  if (random.uint32() % 2 === 0) await fileSystem.syncDirectory("/");
  let position = 0;
  for (;;) {
    const record = random.bytes(100 + (random.uint32() % 2_000));
    await file.write([record], position);
    position += record.length;
    if (random.uint32() % 3 === 0) await file.sync();
    await new Promise<void>((resolve) => scheduler.setTimer(1 + (random.uint32() % 20), resolve));
  }
}

async function talk(process: SimulatedProcess, peer: string): Promise<void> {
  const { scheduler, random, transport } = process;
  for (;;) {
    let connection: Connection | null = null;
    try {
      connection = await transport.connect(`${peer}:1`, { timeoutMs: 200 });
      for (let call = 0; call < 20; call += 1) {
        const stream = connection.openStream(`call/${call}`);
        stream.write(random.bytes(random.uint32() % 5_000));
        stream.end();
        await new Promise<void>((resolve, reject) => {
          stream.onReadable = () => {
            while (stream.read() !== null);
          };
          stream.onClose = ({ error }) => (error === null ? resolve() : reject(new Error(error.by)));
        });
      }
      connection.close(0, "enough");
    } catch {
      connection?.close(1, "failed");
    }
    await new Promise<void>((resolve) => scheduler.setTimer(10, resolve));
  }
}

async function live(process: SimulatedProcess): Promise<void> {
  process.datagrams.onDatagram = (bytes, from) => {
    if (bytes.length > 1) process.datagrams.send(from, bytes.subarray(1));
  };
  const onConnection = (connection: Connection): void => {
    connection.onStream = echo;
  };
  await process.transport.listen({ address: `${process.name}:1`, onConnection });
  void writeLog(process);
  for (const peer of NAMES) {
    if (peer === process.name) continue;
    process.datagrams.send(peer, process.random.bytes(30));
    void talk(process, peer);
  }
}

function plague(world: World): void {
  const random = world.random.fork("plague");
  const scheduler = world.scheduler();
  const strike = (): void => {
    const victim = world.process(random.pick(NAMES));
    const fault = random.pick(["crash", "kill", "pause", "isolate", "clog", "stall"] as const);
    if (fault === "crash") victim.crash();
    if (fault === "kill") victim.kill();
    if (fault === "pause") victim.pause();
    if (fault === "stall") victim.disk.stall(30);
    const cure = fault === "isolate" ? world.network.isolate(victim.name) : fault === "clog" ? world.network.clog(victim.name, "a") : null;
    scheduler.setTimer(random.between(20, 200), () => {
      cure?.heal();
      victim.resume();
      if (world.process(victim.name).state === "dead") void live(world.process(victim.name).restart());
    });
    scheduler.setTimer(random.between(50, 300), strike);
  };
  scheduler.setTimer(100, strike);
}

/** Three processes that use every port, under every sort of fault, for two virtual seconds. */
export async function runScenario(seed: number | string, options: ScenarioOptions = {}): Promise<ScenarioResult> {
  const world = createSimulation({
    seed,
    ...options,
    network: { minDelayMs: 0.5, meanDelayMs: 1, lossPerMillion: 20_000, duplicatePerMillion: 20_000 },
    transport: { idleTimeoutMs: 400 },
  });
  for (const name of NAMES) world.process(name);
  for (const process of world.processes()) void live(process);
  plague(world);
  await world.runFor(2_000);
  const files = world.processes().flatMap(({ name, disk }) => {
    return [...disk.durableImage()].map(
      ([path, bytes]) => `${name}${path}:${bytes.length}:${bytes.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 0)}`,
    );
  });
  return { hash: world.traceHash(), events: world.events, messages: world.network.counts.sent, files: files.join(" ") };
}
