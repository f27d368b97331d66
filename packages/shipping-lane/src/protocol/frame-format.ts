/**
 * Names the streams that carry transfers, and this version of what is on them. One bidirectional stream carries one transfer: its opener sends,
 * its acceptor receives. Everything is a frame: a u32 length, not counting itself, then a kind in one byte, then what it holds. Numbers are
 * little-endian. docs/LANE-FORMAT.md has the whole of it.
 */
export const laneProtocol = "octopii/shipping-lane/1";

/** The kinds of frames. Which side may send which, and when, is up to `OutgoingProtocol` and `IncomingProtocol`. */
export const frameKinds = { offer: 1, accept: 2, chunk: 3, taken: 4, end: 5, done: 6, abort: 7 } as const;

/** More than any chunk with what stands before it; a frame that claims to be longer is refused before anything is allocated. */
export const chunkBytesLimit = 4_194_304;
/** What stands before a chunk's data: kind, encoding, offset, checksum. */
export const chunkHeadBytes = 14;
/** The longest offer: with a name of 255 bytes there is room for 16 KiB of metadata. */
export const offerBytesLimit = 32_768;
/** The longest frame that a receiver sends. */
export const answerBytesLimit = 4_096;
/** All metadata of a transfer, as it stands on the wire. */
export const metadataBytesLimit = 16_384;
/** How many fields of metadata there may be. */
export const metadataFieldsLimit = 64;
/** As long as the usual file systems allow. */
export const nameBytesLimit = 255;

export const idBytes = 16;
export const digestBytes = 32;

/** The one hash of this version, SHA-256, by its number in an offer. */
export const hashSha256 = 1;
/** The one encoding of this version, by its number in a chunk: data as it is. */
export const encodingPlain = 0;
/**
 * What a transfer needs that is not in this version's base, as bits in an offer. A receiver that does not know one of them refuses. None is
 * defined yet; resumption, compression and several streams will be.
 */
export const knownFeatures = 0;
