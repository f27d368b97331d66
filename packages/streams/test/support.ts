import type { Connection, Stream, StreamClose, Transport } from "@octopii/interfaces";
import { createSimulation, type World } from "@octopii/testing";
import { expect } from "vitest";
import { type AsyncStream, acceptStreams, asyncStream } from "../src/index.js";

/** A connection in a simulated world, with the server's end. */
export interface Pair {
  readonly world: World;
  readonly client: Connection;
  readonly server: Connection;
}

export async function connect(server: Transport, client: Transport, address: string): Promise<Omit<Pair, "world">> {
  let accepted: (connection: Connection) => void = () => undefined;
  const atServer = new Promise<Connection>((resolve) => {
    accepted = resolve;
  });
  const listener = await server.listen({ address, onConnection: (connection) => accepted(connection) });
  return { client: await client.connect(listener.address), server: await atServer };
}

/** Runs `body` with a pair of connected processes, in virtual time. */
export async function withPair(body: (pair: Pair) => Promise<void>): Promise<void> {
  const world = createSimulation({ seed: 1 });
  const run = async (): Promise<void> => {
    const [server, client] = ["server", "client"].map((name) => world.process(name).transport) as [Transport, Transport];
    await body({ world, ...(await connect(server, client, "server:0")) });
  };
  await world.runUntilSettled(run());
}

/** A stream that the client opened, as both ends see it; the server's end as the first that its loop gives. */
export async function openPair({
  client,
  server,
}: Omit<Pair, "world">): Promise<{ readonly near: AsyncStream; readonly far: AsyncStream }> {
  const incoming = acceptStreams(server)[Symbol.asyncIterator]();
  const near = asyncStream(client.openStream("test/1"));
  const { value: far } = await incoming.next();
  if (far === undefined) throw new Error("The connection ended before the stream came.");
  return { near, far };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (chunk: Uint8Array | null): string | null => (chunk === null ? null : new TextDecoder().decode(chunk));

/** Everything up to the end, as text. */
export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const chunk of chunks) all += decoder.decode(chunk, { stream: true });
  return all;
}

/** What a promise rejects with. */
export async function reason(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.fail(`It resolved with ${String(value)}.`),
    (error: unknown) => error,
  );
}

/** A stream whose far end is the test: what it is told is written down, and its state set by hand. */
export class HandStream implements Stream {
  readonly protocol = "by-hand/1";
  readonly calls: string[] = [];
  readonly readable: Uint8Array[] = [];
  ended = false;
  resetCode: number | null = null;
  hasRoom = true;
  /** Why it takes no more. */
  cut: StreamClose["error"] = null;
  onDrain: (() => void) | null = null;
  onReadable: (() => void) | null = null;
  onClose: Stream["onClose"] = null;

  /** Both directions are over. */
  close(error: StreamClose["error"]): void {
    this.cut = error;
    this.onClose?.({ error });
  }

  write(chunk: Uint8Array): boolean {
    if (this.cut !== null) throw Object.assign(new Error("It takes no more."), { details: { error: this.cut } });
    this.calls.push(`write ${text(chunk)}`);
    return this.hasRoom;
  }

  read(): Uint8Array | null {
    return this.readable.shift() ?? null;
  }

  end(): void {
    this.calls.push("end");
  }

  reset(code: number): void {
    this.calls.push(`reset ${code}`);
  }

  stop(code: number): void {
    this.calls.push(`stop ${code}`);
  }
}
