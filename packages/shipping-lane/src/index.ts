/**
 * Verified bulk transfer over any Octopii transport: files and memory, in constant memory, checked before they are published.
 *
 * @packageDocumentation
 */

// For those who plug something in.
export type { Compressor } from "./compressor.js";
// For those who send and receive.
export { isLaneError, LaneError, type LaneErrorCode, type LaneErrorOptions } from "./errors.js";
export type { Hasher, RunningHash } from "./hasher.js";
export { createShippingLane, type ShippingLane, type ShippingLaneStats } from "./lane.js";
export { resolveShippingLaneOptions, type ShippingLaneConfig, type ShippingLaneOptions, shippingLaneDefaults } from "./options.js";
export type { LaneConnection, ShippingLanePorts } from "./ports.js";
export { laneProtocol } from "./protocol/frame-format.js";
export type {
  IncomingOffer,
  OfferHandler,
  OnProgress,
  ReceiveOptions,
  SaveOptions,
  SendOptions,
  TransferProgress,
  TransferResult,
} from "./transfer.js";
