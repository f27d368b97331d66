/**
 * What stands in the log beside plain commands: the life of sessions, and commands that belong to one. A plain command is itself, without a byte
 * more, unless it begins as an envelope does; then it is wrapped, so that nobody's bytes are taken for ours.
 *
 * `magic 4 bytes, version u8, kind u8`, then by kind: 0 plain: the command. 1 open: nothing; the index of the entry becomes the session's id.
 * 2 command: `session u64, sequence u64, answered u64`, then the command. 3 close: `session u64`. Numbers are little-endian.
 */
export type Envelope =
  | { readonly kind: "plain"; readonly command: Uint8Array }
  | { readonly kind: "open" }
  | SessionCommand
  | { readonly kind: "close"; readonly session: number }
  | { readonly kind: "malformed"; readonly problem: string };

/** A command that is applied once, however often it is in the log. */
export interface SessionCommand {
  readonly kind: "command";
  readonly session: number;
  /** Unique in its session. */
  readonly sequence: number;
  /** The client waits for no answer to a sequence below this one any more. */
  readonly answered: number;
  /** A view, not a copy. */
  readonly command: Uint8Array;
}

const magic: readonly number[] = [0x00, 0x8c, 0x7e, 0x53];
const formatVersion = 1;
const headerBytes = 6;
const commandHeaderBytes = headerBytes + 24;
const kinds = { plain: 0, open: 1, command: 2, close: 3 } as const;

/** A plain command as it stands in the log; itself, as a rule. */
export function encodePlain(command: Uint8Array): Uint8Array {
  if (!beginsAsEnvelope(command)) return command;
  const bytes = envelope("plain", headerBytes + command.length);
  bytes.set(command, headerBytes);
  return bytes;
}

export function encodeOpen(): Uint8Array {
  return envelope("open", headerBytes);
}

export function encodeClose(session: number): Uint8Array {
  const bytes = envelope("close", headerBytes + 8);
  setSafe(viewOf(bytes), headerBytes, session);
  return bytes;
}

export function encodeSessionCommand({ session, sequence, answered, command }: Omit<SessionCommand, "kind">): Uint8Array {
  const bytes = envelope("command", commandHeaderBytes + command.length);
  const view = viewOf(bytes);
  setSafe(view, headerBytes, session);
  setSafe(view, headerBytes + 8, sequence);
  setSafe(view, headerBytes + 16, answered);
  bytes.set(command, commandHeaderBytes);
  return bytes;
}

/** Reads an entry's bytes. They may come from a client, so anything is possible, and nothing throws. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (!beginsAsEnvelope(bytes)) return { kind: "plain", command: bytes };
  if (bytes.length < headerBytes) return malformed("it ends within its header");
  if (bytes[4] !== formatVersion) return malformed(`its format ${String(bytes[4])} is unknown; this release reads format ${formatVersion}`);
  const view = viewOf(bytes);
  switch (bytes[5]) {
    case kinds.plain:
      return { kind: "plain", command: bytes.subarray(headerBytes) };
    case kinds.open:
      return bytes.length === headerBytes ? { kind: "open" } : malformed("something follows it");
    case kinds.close:
      return bytes.length === headerBytes + 8 ? { kind: "close", session: getSafe(view, headerBytes) } : malformed("its length is wrong");
    case kinds.command:
      if (bytes.length < commandHeaderBytes) return malformed("it ends within its header");
      return {
        kind: "command",
        session: getSafe(view, headerBytes),
        sequence: getSafe(view, headerBytes + 8),
        answered: getSafe(view, headerBytes + 16),
        command: bytes.subarray(commandHeaderBytes),
      };
    default:
      return malformed(`its kind ${String(bytes[5])} is unknown`);
  }
}

const malformed = (problem: string): Envelope => ({ kind: "malformed", problem });

function beginsAsEnvelope(bytes: Uint8Array): boolean {
  return bytes[0] === magic[0] && bytes[1] === magic[1] && bytes[2] === magic[2] && bytes[3] === magic[3];
}

function envelope(kind: keyof typeof kinds, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(magic);
  bytes[4] = formatVersion;
  bytes[5] = kinds[kind];
  return bytes;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const twoTo32 = 2 ** 32;

function setSafe(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % twoTo32, true);
  view.setUint32(at + 4, value / twoTo32, true);
}

/** A number that is not exact in JavaScript is no session's or sequence's: none is found under it. */
function getSafe(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * twoTo32 + view.getUint32(at, true);
}
