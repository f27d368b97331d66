/**
 * One end of a connection, in a process and a network namespace of its own.
 * @param argv[2] - `listen` or `dial`. @param argv[3] - where. @param argv[4] - a file with the credentials.
 */
import { readFileSync } from "node:fs";
import type { Connection, TlsCredentials } from "@octopii/interfaces";
import { createQuicTransport } from "../../src/index.js";

const [, , role = "", address = "", file = ""] = process.argv;
const credentials = JSON.parse(readFileSync(file, "utf8")) as TlsCredentials;
const peer = { name: "peer", cluster: null, nodeId: null };
const transport = createQuicTransport({ credentials, identify: () => ({ accepted: true, peer }), idleTimeoutMs: 1_500 });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function echo(connection: Connection): void {
  connection.onStream = (stream) => {
    stream.onReadable = () => {
      for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) stream.write(bytes);
    };
  };
}

/** Sends a byte, waits for it to come back, and so on, until the connection is gone. */
async function talk(connection: Connection): Promise<void> {
  const stream = connection.openStream("echo");
  let answered = 0;
  stream.onReadable = () => {
    while (stream.read() !== null);
    answered += 1;
    say(`echo ${answered}`);
    setTimeout(() => {
      if (!isOver) stream.write(Uint8Array.of(1));
    }, 20);
  };
  let isOver = false;
  stream.onClose = () => {
    isOver = true;
  };
  stream.write(Uint8Array.of(1));
  const { by } = await connection.closed;
  say(`closed by ${by}`);
}

if (role === "listen") {
  await transport.listen({ address, onConnection: echo });
  say("listening");
} else {
  for (;;) {
    const connection = await transport.connect(address, { timeoutMs: 500 }).catch(() => null);
    if (connection === null) await new Promise((resolve) => setTimeout(resolve, 50));
    else {
      say("connected");
      await talk(connection);
    }
  }
}
