import type { Client, NodeStatus } from "@octopii/core";
import { read } from "../ask.js";
import type { ClientConfig } from "./client-config.js";

/** What the leader says of its cluster; what some other member says, while it cannot be asked. */
export function askLeader(client: Client, { addresses }: ClientConfig): Promise<NodeStatus> {
  return read(async (timeoutMs) => {
    const status = await firstOf(addresses.map((address) => () => client.status(address, { timeoutMs })));
    const leader = status.members.find(({ id }) => id === status.leaderId)?.address ?? null;
    if (leader === null || status.id === status.leaderId) return status;
    return client.status(leader, { timeoutMs }).catch(() => status);
  });
}

/** The first that answers; if none does, the first's failure, as the others fail for the same reason more often than not. */
async function firstOf<Value>(calls: readonly (() => Promise<Value>)[]): Promise<Value> {
  try {
    return await Promise.any(calls.map((call) => call()));
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}
