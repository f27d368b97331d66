import { isWellFormed } from "../core/well-formed.js";
import type { Message, MessageType } from "../messages.js";
import type { Entry, EntryKind } from "../types.js";
import { ByteReader, MalformedBytes } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

/** The version of everything in this file; a receiver refuses others. */
export const messageFormatVersion = 1;

/** Position in the list is the number on the wire: append only. */
const messageTypes: readonly MessageType[] = [
  "AppendEntries",
  "AppendEntriesResponse",
  "RequestVote",
  "RequestVoteResponse",
  "PreVote",
  "PreVoteResponse",
  "Heartbeat",
  "HeartbeatResponse",
  "ReadIndex",
  "ReadIndexResponse",
  "TimeoutNow",
];
const entryKinds: readonly EntryKind[] = ["command", "noop", "configuration"];

/** The least bytes that a message, and an entry, take: a count of them can be checked against what is there. */
const messageBytesMin = 33;
const entryBytesMin = 13;

/**
 * Encodes the messages of one turn for one peer as one frame: `version u8, count u32, messages`. Numbers are little-endian.
 * @returns the frame in chunks, in order. Large entry data is referenced, not copied: nobody may change it.
 */
export function encodeMessages(messages: readonly Message[]): Uint8Array[] {
  const writer = new ByteWriter(256 * messages.length);
  writer.u8(messageFormatVersion);
  writer.u32(messages.length);
  for (const message of messages) writeMessage(writer, message);
  return writer.finish();
}

/**
 * Decodes a frame of {@link encodeMessages}. Entry data are views of `frame`, which must not be reused.
 * @returns the messages, or a sentence that says what is wrong with the bytes. Never throws.
 */
export function decodeMessages(frame: Uint8Array): readonly Message[] | string {
  try {
    const reader = new ByteReader(frame);
    const version = reader.u8();
    if (version !== messageFormatVersion)
      return `Raft messages of format ${version} are unknown; this node speaks format ${messageFormatVersion}.`;
    const count = reader.u32();
    if (count * messageBytesMin > reader.remaining) return `${count} messages cannot fit in ${reader.remaining} bytes.`;
    const messages: Message[] = [];
    for (let i = 0; i < count; i++) {
      const message = readMessage(reader);
      if (!isWellFormed(message)) return `A ${message.type} holds impossible values.`;
      messages.push(message);
    }
    return reader.remaining === 0 ? messages : `${reader.remaining} bytes are left over after ${count} messages.`;
  } catch (error) {
    if (error instanceof MalformedBytes) return `The frame is malformed: ${error.message}.`;
    throw error;
  }
}

function writeMessage(writer: ByteWriter, message: Message): void {
  writer.u8(messageTypes.indexOf(message.type));
  writer.u64(message.group);
  writer.u64(message.from);
  writer.u64(message.to);
  writer.u64(message.term);
  switch (message.type) {
    case "AppendEntries":
      writer.u64(message.prevLogIndex);
      writer.u64(message.prevLogTerm);
      writer.u64(message.leaderCommit);
      return writeEntries(writer, message.entries);
    case "AppendEntriesResponse":
      writer.u8(message.rejected ? 1 : 0);
      writer.u64(message.index);
      writer.u64(message.hintIndex);
      return writer.u64(Math.max(0, message.hintTerm));
    case "RequestVote":
      writer.u64(message.lastLogIndex);
      writer.u64(message.lastLogTerm);
      return writer.u8(message.leadershipTransfer ? 1 : 0);
    case "PreVote":
      writer.u64(message.lastLogIndex);
      return writer.u64(message.lastLogTerm);
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return writer.u8(message.granted ? 1 : 0);
    case "Heartbeat":
      writer.u64(message.commitIndex);
      return writer.u64(message.readRound);
    case "HeartbeatResponse":
      return writer.u64(message.readRound);
    case "ReadIndex":
      return writer.u64(message.requestId);
    case "ReadIndexResponse":
      writer.u64(message.requestId);
      return writer.u64(message.index);
    case "TimeoutNow":
      return;
  }
}

/** Indexes follow from `prevLogIndex`, so an entry carries only its term, kind and data. */
function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.u32(entries.length);
  for (const entry of entries) {
    writer.u64(entry.term);
    writer.u8(entryKinds.indexOf(entry.kind));
    writer.u32(entry.data.length);
    writer.bytes(entry.data);
  }
}

function readMessage(reader: ByteReader): Message {
  const type = messageTypes[reader.u8()];
  if (type === undefined) throw new MalformedBytes("a message is of an unknown type");
  const envelope = { group: reader.u64(), from: reader.u64(), to: reader.u64(), term: reader.u64() };
  switch (type) {
    case "AppendEntries": {
      const prevLogIndex = reader.u64();
      const prevLogTerm = reader.u64();
      const leaderCommit = reader.u64();
      return { type, ...envelope, prevLogIndex, prevLogTerm, entries: readEntries(reader, prevLogIndex), leaderCommit };
    }
    case "AppendEntriesResponse":
      return { type, ...envelope, rejected: flag(reader), index: reader.u64(), hintIndex: reader.u64(), hintTerm: reader.u64() };
    case "RequestVote":
      return { type, ...envelope, lastLogIndex: reader.u64(), lastLogTerm: reader.u64(), leadershipTransfer: flag(reader) };
    case "PreVote":
      return { type, ...envelope, lastLogIndex: reader.u64(), lastLogTerm: reader.u64() };
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return { type, ...envelope, granted: flag(reader) };
    case "Heartbeat":
      return { type, ...envelope, commitIndex: reader.u64(), readRound: reader.u64() };
    case "HeartbeatResponse":
      return { type, ...envelope, readRound: reader.u64() };
    case "ReadIndex":
      return { type, ...envelope, requestId: reader.u64() };
    case "ReadIndexResponse":
      return { type, ...envelope, requestId: reader.u64(), index: reader.u64() };
    case "TimeoutNow":
      return { type, ...envelope };
  }
}

function readEntries(reader: ByteReader, prevLogIndex: number): Entry[] {
  const count = reader.u32();
  if (count * entryBytesMin > reader.remaining) throw new MalformedBytes(`${count} entries cannot fit in ${reader.remaining} bytes`);
  const entries: Entry[] = [];
  for (let i = 1; i <= count; i++) {
    const term = reader.u64();
    const kind = entryKinds[reader.u8()];
    if (kind === undefined) throw new MalformedBytes("an entry is of an unknown kind");
    entries.push({ index: prevLogIndex + i, term, kind, data: reader.bytes(reader.u32()) });
  }
  return entries;
}

function flag(reader: ByteReader): boolean {
  const value = reader.u8();
  if (value > 1) throw new MalformedBytes(`a flag is ${value}`);
  return value === 1;
}
