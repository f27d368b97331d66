import { TcpTransportError } from "./errors.js";

/** An address in parts. */
export interface HostPort {
  /** A host name or IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

const pattern = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:[\]/@]+)):(\d{1,5})$/;

/**
 * Reads `host:port`, with an IPv6 host in brackets.
 * @throws {TcpTransportError} `OCTOPII_TCP_INVALID_ADDRESS`.
 */
export function parseAddress(address: string, options: { readonly allowPortZero: boolean }): HostPort {
  const [, v6, name, digits] = pattern.exec(address) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535 && (port > 0 || options.allowPortZero)) return { host, port };
  const message = `'${address.slice(0, 300)}' is not an address; give host:port with a port up to 65535, and an IPv6 host in brackets.`;
  throw new TcpTransportError("OCTOPII_TCP_INVALID_ADDRESS", message);
}

/** The inverse of {@link parseAddress}. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether an IP address stands for all interfaces. */
export function isWildcard(host: string): boolean {
  return host === "::" || host === "0.0.0.0";
}
