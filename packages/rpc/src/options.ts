/** Options of `createRpc`. Every limit is finite; `undefined` means the default. */
export interface RpcOptions {
  /** How long a call may take when it does not say, and how long a one-way handler gets. */
  readonly defaultTimeoutMs?: number;
  /** The longest timeout: a call that asks for more is refused here, and a peer's request is cut to it. */
  readonly maxTimeoutMs?: number;
  /** How long `close` waits for running handlers and pending calls. */
  readonly closeTimeoutMs?: number;
  /** The largest frame, in both directions: payload, method name, metadata and up to 16 bytes more. Both ends must agree on it. */
  readonly maxFrameBytes?: number;
  /**
   * How much may wait on one stream while the peer does not drain it. Calls and answers beyond it are refused; and while a quarter
   * of it waits to be answered, no further requests are read.
   */
  readonly maxQueuedBytes?: number;
  /** Calls of one client that wait for their answer. More are refused. */
  readonly maxOutboundCalls?: number;
  /** Handlers that run for one connection. More requests are refused. */
  readonly maxInboundCalls?: number;
  /** Payload bytes of the handlers that run for one connection. More requests are refused. */
  readonly maxInboundBytes?: number;
  /** Streams of this protocol that one connection may open to us. More are reset. */
  readonly maxInboundStreams?: number;
  /** Handlers that run for all connections together, those included whose connection is gone. More requests are refused. */
  readonly maxHandlers?: number;
  /** The metadata of one call, encoded. */
  readonly maxMetadataBytes?: number;
}

/** {@link RpcOptions} with every default filled in and every value checked. */
export type RpcConfig = Readonly<Required<RpcOptions>>;

/** The defaults of {@link RpcOptions}. */
export const rpcDefaults: RpcConfig = Object.freeze({
  /** Ten elections at Raft's usual timing: a call outlives a change of leader, and a dead peer is noticed while somebody still cares. */
  defaultTimeoutMs: 10_000,
  /** Long enough for an operator's slowest request, short enough that a forgotten one gives its memory back. */
  maxTimeoutMs: 600_000,
  /** Half of the default timeout, and well under the 10 s that most supervisors allow between SIGTERM and SIGKILL. */
  closeTimeoutMs: 5_000,
  /** What gRPC accepts by default. Larger things belong on a bulk-transfer stream. */
  maxFrameBytes: 4_194_304,
  /** Sixteen of the largest frames: room for a burst, and a stuck peer costs no more than this. */
  maxQueuedBytes: 67_108_864,
  /** Ten times what saturates one core over loopback. */
  maxOutboundCalls: 4_096,
  /** Twice the caller's limit, since a caller's slot is free again before our handler has seen its cancellation. */
  maxInboundCalls: 8_192,
  /** Sixteen of the largest frames. */
  maxInboundBytes: 67_108_864,
  /** One per client that the peer makes on the connection; more than a few is a mistake or an attack. */
  maxInboundStreams: 8,
  /** Four connections at their limit. */
  maxHandlers: 32_768,
  /** What gRPC and most HTTP servers allow for headers. */
  maxMetadataBytes: 8_192,
});

const limits: Readonly<Record<keyof RpcConfig, readonly [least: number, most: number]>> = {
  defaultTimeoutMs: [1, 2_147_483_647],
  maxTimeoutMs: [1, 2_147_483_647],
  closeTimeoutMs: [0, 2_147_483_647],
  maxFrameBytes: [32_768, 1_073_741_824],
  maxQueuedBytes: [32_768, 4_294_967_296],
  maxOutboundCalls: [1, 16_777_216],
  maxInboundCalls: [1, 16_777_216],
  maxInboundBytes: [32_768, 1_099_511_627_776],
  maxInboundStreams: [1, 65_536],
  maxHandlers: [1, 16_777_216],
  maxMetadataBytes: [2, 65_537],
};

/**
 * Fills in the defaults and checks everything.
 * @throws {RangeError} once, naming all that is wrong.
 */
export function resolveRpcOptions(options: RpcOptions = {}): RpcConfig {
  const config: { -readonly [name in keyof RpcConfig]: number } = { ...rpcDefaults };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(limits, name)) problems.push(`${name} is not an option`);
    else if (value !== undefined) config[name as keyof RpcConfig] = value;
  }
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = config[name as keyof RpcConfig];
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      problems.push(`${name} must be an integer from ${least} to ${most}, not ${String(value)}`);
    }
  }
  if (problems.length === 0) problems.push(...findConflicts(config));
  if (problems.length > 0) throw new RangeError(`The options of createRpc are wrong: ${problems.join("; ")}.`);
  return Object.freeze(config);
}

function findConflicts(config: RpcConfig): string[] {
  const problems: string[] = [];
  if (config.defaultTimeoutMs > config.maxTimeoutMs) problems.push("defaultTimeoutMs must not exceed maxTimeoutMs");
  if (config.maxQueuedBytes < config.maxFrameBytes) problems.push("maxQueuedBytes must hold a frame of maxFrameBytes");
  if (config.maxInboundBytes < config.maxFrameBytes) problems.push("maxInboundBytes must hold a frame of maxFrameBytes");
  if (config.maxMetadataBytes > config.maxFrameBytes / 2) problems.push("maxMetadataBytes must not exceed half of maxFrameBytes");
  return problems;
}
