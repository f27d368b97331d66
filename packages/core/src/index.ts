/**
 * A replicated service inside your Node.js process: bring a state machine, get leader election, replication, failover and
 * linearizable reads.
 *
 * @packageDocumentation
 */

export { UnreadableRecordError } from "./adapters/entry-record.js";
// For those who compose a node of their own.
export { type PeerNetworkLimits, raftProtocol, TransportPeerNetwork } from "./adapters/transport-peer-network.js";
export { WalrusLogStorage } from "./adapters/walrus-log-storage.js";
// For those who embed a node.
export type { CallOptions, Consistency, QueryOptions } from "./call-options.js";
// For programs that are not members.
export { type Client, type ClientOptions, type ClientParts, createClient } from "./client/client.js";
export { CoreError, type CoreErrorCode, type CoreErrorOptions, isCoreError } from "./errors.js";
export type { NodeLane, NodeSendOptions } from "./lane/node-lane.js";
export { createNode, type Node } from "./node.js";
export type { NodeEvent } from "./node-events.js";
export type { Operations } from "./operations/operations.js";
export type { Member, NodeOptions } from "./options.js";
export type { NodeParts } from "./ports.js";
// For background work, a node's own or yours.
export * from "./runtime/index.js";
export type { Session } from "./sessions/session.js";
export { type Counter, type CounterClient, counter, counterClient } from "./state-machine/counter.js";
export { type KeyValueClient, keyValueClient, type Replicated } from "./state-machine/key-value-client.js";
export { type KeyValueStore, keyValueStore } from "./state-machine/key-value-store.js";
export { type ApplyContext, isRejection, Rejection, type StateMachine } from "./state-machine/state-machine.js";
export { type Restorable, type WalBacked, type WalBackedOptions, walBacked } from "./state-machine/wal-backed.js";
export type { MemberStatus, NodeRole, NodeStatus, PeerProgress } from "./status.js";
