import { setTimeout as pause } from "node:timers/promises";
import { createShippingLane } from "@octopii/shipping-lane";
import { type Command, type Io, parseCommandLine, usageError, wholeNumber } from "../command.js";
import { describeError } from "../errors.js";
import { listenAt, openTransport } from "../lane/endpoint.js";
import { type InboxNews, type InboxOptions, openInbox } from "../lane/inbox.js";
import { Interruption } from "../lane/interruption.js";
import { ProgressLine, size } from "../lane/progress.js";
import { toJson } from "./send.js";

const help = `Receives files into a directory, from whoever has a certificate of the same
cluster, until Ctrl-C. A file appears when it is complete, checked and flushed.

usage: octopii receive --config FILE --listen ADDRESS [OPTIONS]

  --config FILE      who we are: a JSON file with "cluster", "certificate",
                     "privateKey", "authorities" and perhaps "transport". The
                     certificate must be a node's: octopii certs issue --node ID
  --listen ADDRESS   host:port; port 0 picks a free one
  --directory DIR    where files go; made if missing; default the working
                     directory
  --replace          let a file take the place of one of the same name; without
                     this it is refused
  --max-bytes N      refuse larger files; default 68719476736 (64 GiB)
  --count N          end after so many files
  --json             print a JSON object for each thing that happens, not the
                     SHA-256 and the path of each file
  --help             print this

examples:
  octopii receive --config node-9.json --listen 0.0.0.0:7700 --directory inbox
  octopii receive --config node-9.json --listen 127.0.0.1:0 --count 1 --json

A running node receives by itself: octopii node --inbox DIR.

Exit code: 0 ended by request, or after --count files; 1 it failed; 2 bad input.
`;

/** How long a sender that has what it wants may keep its connection. */
const partingMs = 2_000;

interface Receiving {
  readonly config: string;
  readonly listen: string;
  readonly directory: string;
  readonly inbox: InboxOptions;
  readonly count: number;
  readonly json: boolean;
}

export const receiveCommand: Command = {
  name: "receive",
  summary: "receive files into a directory",
  help,
  async run(args, io) {
    const text = { type: "string" } as const;
    const flag = { type: "boolean" } as const;
    const options = { config: text, listen: text, directory: text, replace: flag, "max-bytes": text, count: text, json: flag };
    const { help: wantsHelp, values } = parseCommandLine("receive", args, options);
    if (wantsHelp) {
      io.stdout.write(help);
      return 0;
    }
    const { config, listen, directory = ".", count, "max-bytes": maxBytes } = values;
    if (typeof config !== "string") throw usageError("--config FILE is missing", "receive");
    if (typeof listen !== "string") throw usageError("--listen ADDRESS is missing", "receive");
    const most = Number.MAX_SAFE_INTEGER;
    await receive(
      {
        config,
        listen,
        directory: String(directory),
        inbox: {
          replace: values.replace === true,
          maxBytes: typeof maxBytes === "string" ? wholeNumber("receive", "max-bytes", maxBytes, 0, most) : null,
        },
        count: typeof count === "string" ? wholeNumber("receive", "count", count, 1, most) : Number.POSITIVE_INFINITY,
        json: values.json === true,
      },
      io,
    );
    return 0;
  },
};

async function receive({ config, listen, directory, inbox, count, json }: Receiving, io: Io): Promise<void> {
  const transport = openTransport(config);
  const lane = createShippingLane();
  const interruption = new Interruption();
  const line = new ProgressLine(io);
  const connections = new Set<Promise<unknown>>();
  let received = 0;
  let enough: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    enough = resolve;
    interruption.signal.addEventListener("abort", () => resolve());
  });
  const tell = (news: InboxNews): void => {
    report(news, line, json, io);
    if (news.event === "received") received += 1;
    if (received >= count) enough();
  };
  try {
    lane.onOffer = await openInbox(directory, inbox, tell);
    const { address } = await listenAt(transport, listen, (connection) => {
      connections.add(connection.closed);
      void connection.closed.then(() => connections.delete(connection.closed));
      lane.serve(connection);
    });
    line.say(`Files for ${address} go into ${directory}; Ctrl-C ends it.`);
    if (json) io.stdout.write(`${JSON.stringify({ event: "listening", address })}\n`);
    await over;
    // The last sender is still to hear that its file is safe, and hangs up then.
    if (received >= count) await Promise.race([Promise.all(connections), pause(partingMs)]);
  } finally {
    interruption.release();
    await lane.close();
    await transport.close();
  }
}

function report(news: InboxNews, line: ProgressLine, json: boolean, io: Io): void {
  if (news.event === "progress") return line.tell(`${news.name} from ${news.peer}`, news.progress);
  if (news.event === "failed") {
    line.say(`octopii: ${news.name} from ${news.peer} was not received: ${describeError(news.error)}`);
    const { code = null } = news.error as { code?: string };
    if (json) io.stdout.write(`${JSON.stringify({ event: "failed", name: news.name, peer: news.peer, code })}\n`);
    return;
  }
  const { result } = news;
  line.say(`${result.name} came from ${result.peer.name}: ${size(result.bytes)} in ${(result.durationMs / 1_000).toFixed(1)} s`);
  io.stdout.write(`${json ? JSON.stringify({ event: "received", ...toJson(result) }) : `${result.checksum}  ${result.path}`}\n`);
}
