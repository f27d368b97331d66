import { createShippingLane, type TransferResult } from "@octopii/shipping-lane";
import { type Command, type Io, parseCommandLine, usageError } from "../command.js";
import { clientConfigDefault } from "../config/client-config.js";
import { openTransport, reach } from "../lane/endpoint.js";
import { Interruption } from "../lane/interruption.js";
import { ProgressLine, size } from "../lane/progress.js";

const help = `Sends files to a node, or to octopii receive: checked, and safe on the other
side's disk when this ends.

usage: octopii send FILE... --to ADDRESS [OPTIONS]

  --to ADDRESS     host:port of a node that has an inbox, or of octopii receive
  --name NAME      what the file is called there; default its own name. For one
                   file only
  --config FILE    who we are: a JSON file with "cluster", "certificate",
                   "privateKey", "authorities" and perhaps "transport", such as
                   a node's or a client's; default ${clientConfigDefault},
                   which octopii dev writes
  --json           print a JSON object per file, not its SHA-256 and its name
  --help           print this

examples:
  octopii send report.pdf --to 10.0.0.2:7001
  octopii send *.png --to 127.0.0.1:7700 --config node-2.json --json

Progress goes to stderr. A file that was not sent as a whole leaves nothing at
the other side.

Exit code: 0 all were sent; 1 one was not, and stderr says why; 2 bad input.
`;

interface Sending {
  readonly files: readonly string[];
  readonly to: string;
  readonly name: string | null;
  readonly config: string;
  readonly json: boolean;
}

export const sendCommand: Command = {
  name: "send",
  summary: "send files to a node, or to octopii receive",
  help,
  async run(args, io) {
    const text = { type: "string" } as const;
    const options = { to: text, name: text, config: text, json: { type: "boolean" } } as const;
    const { help: wantsHelp, values, positionals } = parseCommandLine("send", args, options, true);
    if (wantsHelp) {
      io.stdout.write(help);
      return 0;
    }
    const { to, name, config } = values;
    if (positionals.length === 0) throw usageError("Name the files to send", "send");
    if (typeof to !== "string") throw usageError("--to ADDRESS is missing", "send");
    if (typeof name === "string" && positionals.length > 1) throw usageError("--name goes with one file", "send");
    const sending: Sending = {
      files: positionals,
      to,
      name: typeof name === "string" ? name : null,
      config: typeof config === "string" ? config : clientConfigDefault,
      json: values.json === true,
    };
    await send(sending, io);
    return 0;
  },
};

async function send({ files, to, name, config, json }: Sending, io: Io): Promise<void> {
  const remedies = config === clientConfigDefault ? { unreadable: "run octopii dev in this directory, or give --config FILE" } : {};
  const transport = openTransport(config, remedies);
  const lane = createShippingLane();
  const interruption = new Interruption();
  const { signal } = interruption;
  try {
    const connection = await reach(transport, to, signal);
    const line = new ProgressLine(io);
    for (const file of files) {
      const result = await lane.sendFile(connection, file, {
        ...(name !== null && { name }),
        signal,
        onProgress: (progress) => line.tell(file, progress),
      });
      line.say(`${result.name} is at ${result.peer.name}: ${size(result.bytes)} in ${(result.durationMs / 1_000).toFixed(1)} s`);
      io.stdout.write(`${json ? JSON.stringify(toJson(result)) : `${result.checksum}  ${result.name}`}\n`);
    }
  } finally {
    interruption.release();
    await lane.close();
    await transport.close();
  }
}

/** A result as `--json` prints it, here and by `octopii receive`. */
export function toJson({ peer, durationMs, ...result }: TransferResult): object {
  return { ...result, peer: peer.name, nodeId: peer.nodeId, durationMs: Math.round(durationMs) };
}
