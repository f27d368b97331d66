import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@octopii/interfaces";
import type { OfferHandler, TransferProgress, TransferResult } from "@octopii/shipping-lane";
import { reasonOf } from "../config/config-file.js";
import { CliError } from "../errors.js";

/** What happens in an inbox. */
export type InboxNews =
  | { readonly event: "progress"; readonly name: string; readonly peer: string; readonly progress: TransferProgress }
  | { readonly event: "received"; readonly result: TransferResult & { readonly path: string } }
  | { readonly event: "failed"; readonly name: string; readonly peer: string; readonly error: unknown };

/** How an inbox receives. */
export interface InboxOptions {
  readonly replace: boolean;
  /** Null: as much as the lane takes by default. */
  readonly maxBytes: number | null;
}

/**
 * Receives everything into a directory, which is made if it is missing.
 * @throws {CliError} `DIRECTORY_UNUSABLE`.
 */
export async function openInbox(directory: string, options: InboxOptions, tell: (news: InboxNews) => void): Promise<OfferHandler> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory);
  } catch (error) {
    const message = `Files cannot be received into ${directory}: ${reasonOf(error, directory)}; give the path of a directory.`;
    throw new CliError("OCTOPII_CLI_DIRECTORY_UNUSABLE", message, { cause: error });
  }
  return async (offer) => {
    const { name } = offer;
    const peer = offer.peer.name;
    try {
      const result = await offer.saveTo(join(directory, name), {
        replace: options.replace,
        ...(options.maxBytes !== null && { maxBytes: options.maxBytes }),
        onProgress: (progress) => tell({ event: "progress", name, peer, progress }),
      });
      tell({ event: "received", result });
    } catch (error) {
      tell({ event: "failed", name, peer, error });
    }
  };
}

/** What a node's log says of its inbox. */
export function logInbox(logger: Logger, news: InboxNews): void {
  if (news.event === "received") {
    const { name, peer, bytes, checksum, path } = news.result;
    logger.info({ file: name, peer: peer.name, bytes, checksum, path }, "A file was received.");
  } else if (news.event === "failed") {
    logger.warn({ file: news.name, peer: news.peer, error: news.error }, "A file was not received.");
  }
}
