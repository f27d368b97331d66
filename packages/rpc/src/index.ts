/**
 * Calls over any Octopii transport: requests with deadlines and cancellation that reach the other side, one-way messages, typed
 * errors with gRPC's status codes, and a limit on everything.
 *
 * @packageDocumentation
 */
export { type CborCodecOptions, cborCodec } from "./cbor-codec.js";
export type { CallOptions, CloseOptions, NotifyOptions, RpcClient } from "./client.js";
export { bytesCodec, type Codec, textCodec, voidCodec } from "./codec.js";
export type { RpcContext } from "./context.js";
export { isRpcError, RpcError, type RpcErrorCode, type RpcErrorOptions } from "./errors.js";
export { rpcProtocol, rpcStreamCodes } from "./frame-format.js";
export type { RpcMetadata } from "./metadata.js";
export { defineMethod, defineOneWay, type Method, type MethodCodecs, type OneWayMethod } from "./method.js";
export { type RpcConfig, type RpcOptions, resolveRpcOptions, rpcDefaults } from "./options.js";
export { createRouter, type OneWayHandler, type RpcHandler, type RpcRouter } from "./router.js";
export { createRpc, type Rpc, type RpcPorts } from "./rpc.js";
export type { RpcStats } from "./stats.js";
export { type RpcStatus, rpcStatusNumbers } from "./status.js";
