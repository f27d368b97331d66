import { TestingError } from "../errors.js";

/** A parsed `host:port`. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Hosts that mean whoever says them. */
const OWN_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "0.0.0.0", "::1", "::"]);

/** @throws {TestingError} `OCTOPII_TESTING_ADDRESS_INVALID`. */
export function parseAddress(text: string, ownHost: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new TestingError("OCTOPII_TESTING_ADDRESS_INVALID", `"${text}" is no address; write host:port, with an IPv6 host in brackets.`);
  }
  return { host: OWN_HOSTS.has(host) ? ownHost : host, port };
}

/** The other way round. */
export function formatAddress(address: Address): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
