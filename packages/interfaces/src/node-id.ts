/**
 * A node's number: a safe integer above 0, unique in its cluster for all time. A removed node's id is never given out again.
 * Eight bytes, unsigned and little-endian, on the wire and on disk.
 */
export type NodeId = number;
