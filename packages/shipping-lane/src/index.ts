/**
 * Verified, resumable bulk transfer over any Octopii transport: what it will stand on. Types only; the transfer is not built yet.
 *
 * @packageDocumentation
 */
export type { Compressor } from "./compressor.js";
export type { Hasher } from "./hasher.js";
export type { LaneConnection, ShippingLanePorts } from "./ports.js";
