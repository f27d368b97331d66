import type { Logger } from "@octopii/interfaces";
import { createRpc, type Rpc, type RpcClient, type RpcOptions, rpcProtocol } from "../../src/index.js";
import { createConnectionPair, type FakeConnection, type FakeOptions, type FakeStream } from "./fake-connection.js";
import { ManualTime } from "./manual-time.js";

export interface Harness {
  readonly time: ManualTime;
  readonly server: Rpc;
  readonly caller: Rpc;
  readonly client: RpcClient;
  readonly near: FakeConnection;
  readonly far: FakeConnection;
  readonly log: LogLine[];
}

export interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface HarnessOptions extends FakeOptions {
  readonly server?: RpcOptions;
  readonly caller?: RpcOptions;
}

/** A caller and a server, each with an endpoint of its own, on the two ends of one fake connection. */
export function createHarness(options: HarnessOptions = {}): Harness {
  const time = new ManualTime();
  const log: LogLine[] = [];
  const ports = { clock: time, scheduler: time, logger: collectLog(log) };
  const server = createRpc(ports, options.server);
  const caller = createRpc(ports, options.caller);
  const [near, far] = createConnectionPair(time, options);
  server.serve(far);
  return { time, server, caller, client: caller.client(near), near, far, log };
}

function collectLog(log: LogLine[]): Logger {
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => void log.push({ level, fields, message });
  return { trace: at("trace"), debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A raw stream of our protocol on which a test plays one of the two sides byte by byte. */
export function openRawStream(connection: FakeConnection): FakeStream {
  return connection.openStream(rpcProtocol);
}

/** Everything that a stream has received and nobody has read. */
export function drainBytes(stream: FakeStream): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** What a promise rejects with; fails if it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("The promise should have been rejected.");
    },
    (error: unknown) => error,
  );
}

/** A promise and its ends. */
export function defer<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array): string => new TextDecoder().decode(value);
