import { chunkBytesLimit } from "./protocol/frame-format.js";

/** Options of `createShippingLane`. Every limit is finite; `undefined` means the default. */
export interface ShippingLaneOptions {
  /** How much of a transfer is read, checked and written at a time; with what the stream holds back, it bounds a transfer's memory. */
  readonly chunkBytes?: number;
  /** A transfer in which nothing moves for so long is given up, on either side. Has no bearing on how long a transfer may take. */
  readonly noProgressTimeoutMs?: number;
  /** The largest file that is received, unless `saveTo` says otherwise. */
  readonly maxFileBytes?: number;
  /** The largest transfer that is received into memory, unless `toMemory` says otherwise. */
  readonly maxMemoryBytes?: number;
  /** What all transfers that are received into memory may take together. More are refused. */
  readonly maxMemoryTotalBytes?: number;
  /** Transfers that are sent at once on one connection. More wait for their turn. */
  readonly maxSendingPerConnection?: number;
  /** Transfers that wait for their turn on one connection. More are refused. */
  readonly maxWaitingPerConnection?: number;
  /** Transfers that are received at once from one peer. More are refused. */
  readonly maxReceivingPerPeer?: number;
  /** Transfers that are received at once from all peers. More are refused. */
  readonly maxReceiving?: number;
}

/** {@link ShippingLaneOptions} with every default filled in and every value checked. */
export type ShippingLaneConfig = Readonly<Required<ShippingLaneOptions>>;

/** The defaults of {@link ShippingLaneOptions}. */
export const shippingLaneDefaults: ShippingLaneConfig = Object.freeze({
  /** Large enough that a chunk's fixed costs vanish, small enough that hashing it does not hold up whoever else is in the process. */
  chunkBytes: 262_144,
  /** Three times the idle timeout of the transports: a link that only stalls lives on, and one that is dead is found by the transport first. */
  noProgressTimeoutMs: 30_000,
  /** Beyond every snapshot and image that we know of, and still no disk is filled by one mistake. */
  maxFileBytes: 68_719_476_736,
  /** What a small process can bear. Larger things belong into a file. */
  maxMemoryBytes: 67_108_864,
  /** Four of the largest. */
  maxMemoryTotalBytes: 268_435_456,
  /** More at once do not make a connection faster; they only make each of them slower. */
  maxSendingPerConnection: 16,
  /** Room for a burst of a thousand files; each costs its options and a promise. */
  maxWaitingPerConnection: 1_024,
  /** Twice what one lane sends: a peer's slot is free again before we have seen the end of its transfer. */
  maxReceivingPerPeer: 32,
  /** Four peers at their limit; at 256 KiB a chunk, some 64 MiB. */
  maxReceiving: 128,
});

const limits: Readonly<Record<keyof ShippingLaneConfig, readonly [least: number, most: number]>> = {
  chunkBytes: [1_024, chunkBytesLimit],
  noProgressTimeoutMs: [1, 2_147_483_647],
  maxFileBytes: [0, Number.MAX_SAFE_INTEGER],
  maxMemoryBytes: [0, 4_294_967_296],
  maxMemoryTotalBytes: [0, 1_099_511_627_776],
  maxSendingPerConnection: [1, 65_536],
  maxWaitingPerConnection: [0, 1_048_576],
  maxReceivingPerPeer: [1, 65_536],
  maxReceiving: [1, 1_048_576],
};

/**
 * Fills in the defaults and checks everything.
 * @throws {RangeError} once, naming all that is wrong.
 */
export function resolveShippingLaneOptions(options: ShippingLaneOptions = {}): ShippingLaneConfig {
  const config: { -readonly [name in keyof ShippingLaneConfig]: number } = { ...shippingLaneDefaults };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(limits, name)) problems.push(`${name} is not an option`);
    else if (value !== undefined) config[name as keyof ShippingLaneConfig] = value;
  }
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = config[name as keyof ShippingLaneConfig];
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      problems.push(`${name} must be an integer from ${least} to ${most}, not ${String(value)}`);
    }
  }
  if (problems.length > 0) throw new RangeError(`The options of createShippingLane are wrong: ${problems.join("; ")}.`);
  return Object.freeze(config);
}

/** @throws {RangeError} if a number that one transfer was given cannot be one. */
export function checkNumber(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`${name} must be an integer of at least ${least}, not ${String(value)}.`);
}
