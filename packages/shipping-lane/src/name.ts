import { LaneError } from "./errors.js";
import { metadataBytesLimit, metadataFieldsLimit, nameBytesLimit } from "./protocol/frame-format.js";

/** Names of files that are being received begin so; no transfer may be called so. */
export const temporaryPrefix = ".octopii-lane-";

/** Control characters, and those that change how a name looks without being seen: a terminal must show what is there. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
/** What Windows does not allow in a name, or takes for a device. */
const windowsOnly = /[<>:"|?*]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

const encoder = new TextEncoder();

/**
 * What is wrong with the name of a transfer; null if nothing is. A name is one component of a path: joined to a directory, it stays in it.
 * @param isWindows - whether the name is to be that of a file on Windows.
 */
export function nameProblem(name: unknown, isWindows: boolean): string | null {
  if (typeof name !== "string") return "it is not a string";
  if (name === "") return "it is empty";
  if (encoder.encode(name).length > nameBytesLimit) return `it has more than ${nameBytesLimit} bytes`;
  if (/[/\\]/.test(name)) return "it contains a separator";
  if (name === "." || name === "..") return "it names a directory";
  if (unseen.test(name)) return "it contains characters that cannot be seen";
  if (name.startsWith(temporaryPrefix)) return `names that begin with ${temporaryPrefix} are for unfinished files`;
  if (isWindows && windowsOnly.test(name)) return "Windows does not allow it";
  return null;
}

/** @throws {LaneError} `NAME_INVALID` */
export function checkName(name: string): string {
  const problem = nameProblem(name, false);
  if (problem === null) return name;
  const message = `A transfer cannot be called ${JSON.stringify(name)}: ${problem}; give it another name.`;
  throw new LaneError("OCTOPII_LANE_NAME_INVALID", message, { details: { name } });
}

/** The metadata as fields in bytes. @throws {LaneError} `NAME_INVALID` if it is too much. */
export function encodeMetadata(metadata: Readonly<Record<string, string>>): (readonly [Uint8Array, Uint8Array])[] {
  const fields = Object.entries(metadata).map(([key, value]) => {
    if (typeof value !== "string") throw new LaneError("OCTOPII_LANE_NAME_INVALID", `Metadata is text: ${key} is a ${typeof value}.`);
    return [encoder.encode(key), encoder.encode(value)] as const;
  });
  let bytes = 0;
  for (const [key, value] of fields) bytes += 4 + key.length + value.length;
  if (fields.length > metadataFieldsLimit || bytes > metadataBytesLimit) {
    const message = `The metadata has ${fields.length} fields and ${bytes} bytes; at most ${metadataFieldsLimit} and ${metadataBytesLimit} travel with a transfer.`;
    throw new LaneError("OCTOPII_LANE_NAME_INVALID", message);
  }
  return fields;
}

/** The last component of a path. */
export function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? "";
}

/** The directory that a path is in. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  if (slash === -1) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}
