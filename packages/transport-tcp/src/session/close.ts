import type { ConnectionClose, IdentityRefusal } from "@octopii/interfaces";
import { applicationCodeMax, tcpCodes } from "../codes.js";
import { TcpTransportError, type TcpTransportErrorCode } from "../errors.js";
import type { TlsFailure } from "../ports.js";
import { reasonBytesMax } from "../wire/frame.js";

/** Why a connection ended whose socket went without a word on the frames. */
export function lostClose(failure: TlsFailure | null): ConnectionClose {
  if (failure === null) return { by: "error", code: tcpCodes.connectionLost, reason: "the peer ended the connection without a word" };
  if (failure.refused) return { by: "error", code: tcpCodes.refused, reason: failure.message };
  return { by: "error", code: tcpCodes.connectionLost, reason: failure.message };
}

/** What the peer's close frame says: an application's code, or one of ours. */
export function remoteClose(code: number, reason: string): ConnectionClose {
  const deliberate = code <= applicationCodeMax || code === tcpCodes.transportClosed;
  return { by: deliberate ? "remote" : "error", code, reason };
}

/** Why a dial failed whose connection closed like that. @param failure - of the socket, where that was the cause. */
export function dialError(address: string, close: ConnectionClose, failure: TlsFailure | null): TcpTransportError {
  const { code, reason } = close;
  const details = { address, closeCode: code, reason };
  if (code === tcpCodes.refused) {
    const refusal: IdentityRefusal = { by: close.by === "local" ? "local" : "remote", reason };
    const who = refusal.by === "local" ? `This side refused ${address}` : `${address} refused this side`;
    return new TcpTransportError("OCTOPII_TCP_PEER_REFUSED", `${who}: ${reason}.`, { details: { ...details, refusal } });
  }
  if (close.by === "timeout") {
    const message = `${address} fell silent during the handshake; check that an Octopii node listens there.`;
    return new TcpTransportError("OCTOPII_TCP_CONNECT_TIMEOUT", message, { details });
  }
  if (failure !== null) return socketError(address, failure, details);
  const message = `The connection to ${address} was closed before it opened: ${reason === "" ? `code ${code}` : reason}.`;
  return new TcpTransportError("OCTOPII_TCP_CONNECTION_CLOSED", message, { details });
}

const unresolved = ["ENOTFOUND", "EAI_AGAIN", "EAI_NODATA", "EAI_NONAME"];
const unreachable = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "EHOSTDOWN", "EACCES", "EPERM", "EINVAL"];

function socketError(address: string, failure: TlsFailure, details: Readonly<Record<string, unknown>>): TcpTransportError {
  const make = (code: TcpTransportErrorCode, message: string): TcpTransportError =>
    new TcpTransportError(code, message, { cause: failure.cause, details });
  if (unresolved.includes(failure.code)) {
    return make("OCTOPII_TCP_UNRESOLVED_ADDRESS", `The name in '${address}' has no address; check the spelling and the name service.`);
  }
  if (unreachable.includes(failure.code)) {
    const message = `${address} cannot be reached (${failure.code}); check that an Octopii node listens there and that the network leads to it.`;
    return make("OCTOPII_TCP_CONNECT_REFUSED", message);
  }
  if (failure.code === "ETIMEDOUT") return make("OCTOPII_TCP_CONNECT_TIMEOUT", `${address} did not answer in time.`);
  return make("OCTOPII_TCP_HANDSHAKE_FAILED", `The handshake with ${address} failed: ${failure.message}.`);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** At most 512 bytes of a reason, so that it fits its frame, cut between characters. */
export function shortReason(reason: string): string {
  const bytes = encoder.encode(reason);
  if (bytes.length <= reasonBytesMax) return reason;
  let end = reasonBytesMax;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return decoder.decode(bytes.subarray(0, end));
}
