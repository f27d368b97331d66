import { decodeKeyValueRequest, encodeFound, encodeKeys, type KeyValueRequest } from "./key-value-codec.js";
import { readSnapshot, snapshotChunks } from "./key-value-snapshot.js";
import { Rejection, type StateMachine } from "./state-machine.js";

/** A key-value store in memory: keys are any strings, values any bytes. {@link keyValueClient} speaks to it. */
export interface KeyValueStore extends StateMachine {
  /** How many keys this replica holds. */
  readonly size: number;
  /** A copy of everything that this replica holds, sorted by key: for comparing replicas, and for tests. */
  entries(): [key: string, value: Uint8Array][];
}

/** The state machine of a replicated key-value store. Each node of the cluster makes one of its own. */
export function keyValueStore(): KeyValueStore {
  const values = new Map<string, Uint8Array>();
  return {
    get size() {
      return values.size;
    },
    entries: () => [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, value.slice()]),
    apply(command) {
      const request = decode(command);
      if (request.operation === "put") {
        const existed = values.has(request.key);
        // A copy, so that a value does not keep the whole message alive in which it came.
        values.set(request.key, request.value.slice());
        return new Uint8Array([existed ? 1 : 0]);
      }
      if (request.operation === "delete") return new Uint8Array([values.delete(request.key) ? 1 : 0]);
      throw new Rejection(`A ${request.operation} changes nothing: send it as a query.`);
    },
    query(bytes) {
      const request = decode(bytes);
      if (request.operation === "get") return encodeFound(values.get(request.key));
      if (request.operation === "keys") return encodeKeys([...values.keys()].filter((key) => key.startsWith(request.key)).sort());
      throw new Rejection(`A ${request.operation} changes the store: propose it.`);
    },
    // Values are never changed in place, so a copy of the references is a copy of the state.
    snapshot: () => snapshotChunks([...values]),
    async restore(chunks) {
      values.clear();
      for await (const [key, value] of readSnapshot(chunks)) values.set(key, value);
    },
  };
}

function decode(bytes: Uint8Array): KeyValueRequest {
  const request = decodeKeyValueRequest(bytes);
  if (typeof request === "string") throw new Rejection(request);
  return request;
}
