import { decodeConfiguration, encodeConfiguration } from "../configuration/index.js";
import { isWellFormed } from "../core/well-formed.js";
import { forwardRefusals, type Message, type MessageType, readRefusals } from "../messages.js";
import type { Entry, EntryKind, SnapshotMetadata } from "../types.js";
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
  "InstallSnapshot",
  "ForwardProposals",
  "ForwardProposalsResponse",
];
const entryKinds: readonly EntryKind[] = ["command", "noop", "configuration", "founding"];

/** The least bytes that a message, and an entry, take: a count of them can be checked against what is there. */
const messageBytesMin = 33;
const entryBytesMin = 13;
const commandBytesMin = 4;

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
      writer.u8(message.leadershipTransfer ? 1 : 0);
      return writeKnownCommit(writer, message);
    case "PreVote":
      writer.u64(message.lastLogIndex);
      writer.u64(message.lastLogTerm);
      return writeKnownCommit(writer, message);
    case "RequestVoteResponse":
    case "PreVoteResponse":
      writer.u8(message.granted ? 1 : 0);
      return writeKnownCommit(writer, message);
    case "Heartbeat":
      writer.u64(message.commitIndex);
      return writer.u64(message.readRound);
    case "HeartbeatResponse":
      return writer.u64(message.readRound);
    case "InstallSnapshot":
      return writeSnapshot(writer, message.snapshot);
    case "ReadIndex":
      writer.u64(message.requestId);
      return writer.u8(message.lease ? 1 : 0);
    case "ReadIndexResponse":
      writer.u64(message.requestId);
      writer.u64(message.index);
      return writeRefusal(writer, message.refusal, readRefusals);
    case "TimeoutNow":
      return;
    case "ForwardProposals":
      writer.u64(message.requestId);
      return writeCommands(writer, message.commands);
    case "ForwardProposalsResponse":
      writer.u64(message.requestId);
      writer.u32(message.count);
      writer.u64(message.firstIndex);
      writer.u64(message.entryTerm);
      return writeRefusal(writer, message.refusal, forwardRefusals);
  }
}

type Ballot = Extract<Message, { readonly type: "RequestVote" | "PreVote" | "RequestVoteResponse" | "PreVoteResponse" }>;

function writeKnownCommit(writer: ByteWriter, { commitIndex = 0, commitTerm = 0 }: Ballot): void {
  writer.u64(commitIndex);
  writer.u64(commitTerm);
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
      return {
        type,
        ...envelope,
        lastLogIndex: reader.u64(),
        lastLogTerm: reader.u64(),
        leadershipTransfer: flag(reader),
        commitIndex: reader.u64(),
        commitTerm: reader.u64(),
      };
    case "PreVote":
      return {
        type,
        ...envelope,
        lastLogIndex: reader.u64(),
        lastLogTerm: reader.u64(),
        commitIndex: reader.u64(),
        commitTerm: reader.u64(),
      };
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return { type, ...envelope, granted: flag(reader), commitIndex: reader.u64(), commitTerm: reader.u64() };
    case "Heartbeat":
      return { type, ...envelope, commitIndex: reader.u64(), readRound: reader.u64() };
    case "HeartbeatResponse":
      return { type, ...envelope, readRound: reader.u64() };
    case "InstallSnapshot":
      return { type, ...envelope, snapshot: readSnapshot(reader) };
    case "ReadIndex":
      return { type, ...envelope, requestId: reader.u64(), lease: flag(reader) };
    case "ReadIndexResponse":
      return { type, ...envelope, requestId: reader.u64(), index: reader.u64(), refusal: readRefusal(reader, readRefusals) };
    case "TimeoutNow":
      return { type, ...envelope };
    case "ForwardProposals":
      return { type, ...envelope, requestId: reader.u64(), commands: readCommands(reader) };
    case "ForwardProposalsResponse":
      return {
        type,
        ...envelope,
        requestId: reader.u64(),
        count: reader.u32(),
        firstIndex: reader.u64(),
        entryTerm: reader.u64(),
        refusal: readRefusal(reader, forwardRefusals),
      };
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

function writeCommands(writer: ByteWriter, commands: readonly Uint8Array[]): void {
  writer.u32(commands.length);
  for (const command of commands) {
    writer.u32(command.length);
    writer.bytes(command);
  }
}

function readCommands(reader: ByteReader): Uint8Array[] {
  const count = reader.u32();
  if (count * commandBytesMin > reader.remaining) throw new MalformedBytes(`${count} commands cannot fit in ${reader.remaining} bytes`);
  const commands: Uint8Array[] = [];
  for (let i = 0; i < count; i++) commands.push(reader.bytes(reader.u32()));
  return commands;
}

/** None is 0. */
function writeRefusal<Refusal>(writer: ByteWriter, refusal: Refusal | null, known: readonly Refusal[]): void {
  writer.u8(refusal === null ? 0 : known.indexOf(refusal) + 1);
}

function readRefusal<Refusal>(reader: ByteReader, known: readonly Refusal[]): Refusal | null {
  const number = reader.u8();
  if (number === 0) return null;
  const refusal = known[number - 1];
  if (refusal === undefined) throw new MalformedBytes("a refusal is of an unknown kind");
  return refusal;
}

function writeSnapshot(writer: ByteWriter, { index, term, configuration }: SnapshotMetadata): void {
  const bytes = encodeConfiguration(configuration);
  writer.u64(index);
  writer.u64(term);
  writer.u32(bytes.length);
  writer.bytes(bytes);
}

function readSnapshot(reader: ByteReader): SnapshotMetadata {
  const index = reader.u64();
  const term = reader.u64();
  const decoded = decodeConfiguration(reader.bytes(reader.u32()));
  if (!decoded.accepted) throw new MalformedBytes(`a snapshot's configuration cannot be read: ${decoded.refusal.message}`);
  return { index, term, configuration: decoded.value };
}

function flag(reader: ByteReader): boolean {
  const value = reader.u8();
  if (value > 1) throw new MalformedBytes(`a flag is ${value}`);
  return value === 1;
}
