import { PassThrough } from "node:stream";
import { run } from "../../src/program.js";

/** Runs the program in this process. */
export function octopii(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return octopiiWithInput(new PassThrough(), ...args);
}

/** {@link octopii} with a standard input. */
export async function octopiiWithInput(stdin: PassThrough, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const io = { ...streams, stdin, env: {} } as unknown as Parameters<typeof run>[1];
  const code = await run(args, io);
  return { code, stdout: String(streams.stdout.read() ?? ""), stderr: String(streams.stderr.read() ?? "") };
}
