import { CliError } from "../errors.js";
import { readIfThere, writeWhole } from "./files.js";

/** What a development cluster's directory remembers, so that the next start finds the same cluster at the same addresses. */
export interface Manifest {
  readonly format: 1;
  readonly cluster: string;
  readonly nodes: readonly { readonly id: number; readonly port: number }[];
}

const formatVersion = 1;

/** @returns null if there is none yet. @throws {CliError} `DIRECTORY_UNUSABLE` if it makes no sense. */
export function readManifest(path: string): Manifest | null {
  const text = readIfThere(path);
  if (text === null) return null;
  const manifest = parse(text);
  if (manifest === null) {
    throw new CliError("OCTOPII_CLI_DIRECTORY_UNUSABLE", `${path} is damaged; remove its directory to begin anew, or choose another one.`);
  }
  if (manifest.format !== formatVersion) {
    const message = `${path} has format ${String(manifest.format)}; this release reads format ${formatVersion}: use the release that wrote it, or another directory.`;
    throw new CliError("OCTOPII_CLI_DIRECTORY_UNUSABLE", message);
  }
  return manifest;
}

export function writeManifest(path: string, manifest: Manifest): void {
  writeWhole(path, `${JSON.stringify(manifest, null, 2)}\n`, 0o644);
}

function parse(text: string): Manifest | null {
  let value: Partial<Manifest> | null;
  try {
    value = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || typeof value.format !== "number") return null;
  if (value.format !== formatVersion) return value as Manifest;
  const { cluster, nodes } = value;
  const isPort = (port: unknown): boolean => Number.isSafeInteger(port) && (port as number) > 0 && (port as number) <= 65_535;
  const good = typeof cluster === "string" && Array.isArray(nodes) && nodes.every((node, i) => node?.id === i + 1 && isPort(node.port));
  return good ? (value as Manifest) : null;
}
