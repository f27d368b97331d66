import type { CallOptions, QueryOptions } from "../call-options.js";
import { decodeFound, decodeKeys, encodeKeyValueRequest } from "./key-value-codec.js";

/** What can propose and query: a node, or a client of a cluster. */
export interface Replicated {
  propose(command: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  query(request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
}

/** The key-value store in an application's terms. Errors are those of `propose` and `query`. */
export interface KeyValueClient {
  /** Stores `value` under `key`; resolves when it is safe on a quorum. @returns whether the key existed. */
  put(key: string, value: Uint8Array, options?: CallOptions): Promise<boolean>;
  /** The value under `key`, or null. Linearizable unless `options` say otherwise. The caller owns the bytes. */
  get(key: string, options?: QueryOptions): Promise<Uint8Array | null>;
  /** Removes `key`. @returns whether it existed. */
  delete(key: string, options?: CallOptions): Promise<boolean>;
  /** The keys that begin with `prefix`, sorted by code unit. */
  keys(prefix?: string, options?: QueryOptions): Promise<string[]>;
}

/** Speaks to a cluster whose state machine is `keyValueStore()`. */
export function keyValueClient(target: Replicated): KeyValueClient {
  return {
    async put(key, value, options) {
      return flag(await target.propose(encodeKeyValueRequest({ operation: "put", key, value }), options));
    },
    async get(key, options) {
      return decodeFound(await target.query(encodeKeyValueRequest({ operation: "get", key }), options));
    },
    async delete(key, options) {
      return flag(await target.propose(encodeKeyValueRequest({ operation: "delete", key }), options));
    },
    async keys(prefix = "", options) {
      return decodeKeys(await target.query(encodeKeyValueRequest({ operation: "keys", key: prefix }), options));
    },
  };
}

const flag = (bytes: Uint8Array): boolean => bytes[0] === 1;
