import type { ConnectionClose, IdentityRefusal } from "@octopii/interfaces";
import { applicationCodeMax, describeTransportCode, isIdentityAlert, quicCodes } from "../codes.js";
import { QuicTransportError } from "../errors.js";
import type { EngineConnection, EngineError } from "../ports.js";

function described(error: EngineError): string {
  return error.reason === "" ? describeTransportCode(error.code) : error.reason;
}

function refusesIdentity({ application, code }: EngineError): boolean {
  return !application && isIdentityAlert(code);
}

/** Why the engine's connection ended without our asking for it. */
export function engineClose(engine: EngineConnection): ConnectionClose {
  const peer = engine.peerError();
  if (peer !== null) {
    if (refusesIdentity(peer)) return { by: "error", code: quicCodes.refused, reason: describeTransportCode(peer.code) };
    if (!peer.application) return { by: "error", code: peer.code, reason: `the peer reported ${described(peer)}` };
    const deliberate = peer.code <= applicationCodeMax || peer.code === quicCodes.transportClosed;
    return { by: deliberate ? "remote" : "error", code: peer.code, reason: peer.reason };
  }
  if (engine.isTimedOut()) return { by: "timeout", code: quicCodes.idleTimeout, reason: "the peer fell silent" };
  const local = engine.localError();
  // As where `identify` refuses: `local` because this side decided it.
  if (local !== null && refusesIdentity(local)) return { by: "local", code: quicCodes.refused, reason: describeTransportCode(local.code) };
  if (local !== null) return { by: "error", code: local.code, reason: described(local) };
  return {
    by: "error",
    code: quicCodes.statelessReset,
    reason: "the peer does not know this connection any more; it may have restarted",
  };
}

/** Why a dial failed whose connection closed like that. */
export function dialError(address: string, close: ConnectionClose): QuicTransportError {
  const { code, reason } = close;
  const details = { address, closeCode: code, reason };
  if (code === quicCodes.refused) {
    const refusal: IdentityRefusal = { by: close.by === "local" ? "local" : "remote", reason };
    const who = refusal.by === "local" ? `This side refused ${address}` : `${address} refused this side`;
    return new QuicTransportError("OCTOPII_QUIC_PEER_REFUSED", `${who}: ${reason}.`, { details: { ...details, refusal } });
  }
  if (close.by === "timeout") {
    const message = `${address} fell silent during the handshake; check that an Octopii node listens there.`;
    return new QuicTransportError("OCTOPII_QUIC_CONNECT_TIMEOUT", message, { details });
  }
  if (close.by === "error" && code <= applicationCodeMax) {
    const message = `The handshake with ${address} failed: ${reason}.`;
    return new QuicTransportError("OCTOPII_QUIC_HANDSHAKE_FAILED", message, { details });
  }
  const message = `The connection to ${address} was closed before it opened: ${reason === "" ? `code ${code}` : reason}.`;
  return new QuicTransportError("OCTOPII_QUIC_CONNECTION_CLOSED", message, { details });
}

const reasonBytesMax = 512;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** At most 512 bytes of a reason, so that it fits one packet, cut between characters. */
export function shortReason(reason: string): string {
  const bytes = encoder.encode(reason);
  if (bytes.length <= reasonBytesMax) return reason;
  let end = reasonBytesMax;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return decoder.decode(bytes.subarray(0, end));
}
