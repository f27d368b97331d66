import type { NodeId } from "@octopii/interfaces";
import { decodeConfigurationChange, type Entry } from "@octopii/raft";
import type { Member } from "../options.js";
import type { ChunkReader } from "./chunk-reader.js";

/** Far more than any address needs. */
const addressBytesMax = 1_024;
const membersMax = 65_536;
const formatVersion = 1;
const headerBytes = 5;
const memberHeaderBytes = 10;
const twoTo32 = 2 ** 32;

/**
 * Where each member can be reached: the founders' addresses as configured, then what changes of the membership say. It is part of the
 * replicated state, so every member knows the address of every other, whenever it joined.
 */
export class AddressBook {
  readonly #addresses = new Map<NodeId, string>();

  /** @param founders - as configured. */
  constructor(founders: readonly Member[]) {
    for (const { id, address } of founders) this.#addresses.set(id, address);
  }

  addressOf(id: NodeId): string | null {
    return this.#addresses.get(id) ?? null;
  }

  /** Everybody, ascending by id. */
  members(): Member[] {
    return [...this.#addresses].map(([id, address]) => ({ id, address })).sort((a, b) => a.id - b.id);
  }

  /** Takes the addresses that stand in changes of the membership. @returns whether any is news. */
  learn(entries: readonly Entry[]): boolean {
    let isNews = false;
    for (const { kind, data } of entries) {
      if (kind !== "configuration") continue;
      const change = decodeConfigurationChange(data);
      if (!change.accepted) continue;
      for (const { nodeId, context } of change.value.changes) {
        if (context === undefined || context.length === 0 || context.length > addressBytesMax) continue;
        const address = new TextDecoder().decode(context);
        isNews ||= this.#addresses.get(nodeId) !== address;
        this.#addresses.set(nodeId, address);
      }
    }
    return isNews;
  }

  /** `version u8, count u32`, then for each member `id u64, length u16, address`; little-endian. */
  encode(): Uint8Array {
    const members = this.members().map(({ id, address }) => ({ id, bytes: new TextEncoder().encode(address) }));
    const length = members.reduce((sum, { bytes }) => sum + memberHeaderBytes + bytes.length, headerBytes);
    const encoded = new Uint8Array(length);
    const view = new DataView(encoded.buffer);
    view.setUint8(0, formatVersion);
    view.setUint32(1, members.length, true);
    let at = headerBytes;
    for (const { id, bytes } of members) {
      view.setUint32(at, id % twoTo32, true);
      view.setUint32(at + 4, id / twoTo32, true);
      view.setUint16(at + 8, bytes.length, true);
      encoded.set(bytes, at + memberHeaderBytes);
      at += memberHeaderBytes + bytes.length;
    }
    return encoded;
  }

  /** Reads what {@link encode} wrote over what is known already. */
  async restore(reader: ChunkReader): Promise<void> {
    const header = viewOf(await reader.expect(headerBytes));
    const version = header.getUint8(0);
    if (version !== formatVersion)
      throw new Error(
        `The snapshot has format ${version}; this release reads format ${formatVersion}: run the release that wrote it, or a newer one.`,
      );
    const count = header.getUint32(1, true);
    if (count > membersMax) throw new Error(`The snapshot tells of ${count} members; that cannot be.`);
    for (let i = 0; i < count; i++) {
      const member = viewOf(await reader.expect(memberHeaderBytes));
      const id = member.getUint32(4, true) * twoTo32 + member.getUint32(0, true);
      this.#addresses.set(id, new TextDecoder().decode(await reader.expect(member.getUint16(8, true))));
    }
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
