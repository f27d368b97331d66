import type { Clock, FileSystem, Logger, NodeId, PeerIdentity, Random, Scheduler, Transport } from "@octopii/interfaces";
import type { RpcRouter } from "@octopii/rpc";
import type { OfferHandler } from "@octopii/shipping-lane";
import { nodeFileSystem, systemClock, systemRandom, systemScheduler } from "@octopii/system";
import { Background } from "./background.js";
import type { NodeEvent } from "./node-events.js";
import type { Runtime } from "./runtime/runtime.js";
import type { StateMachine } from "./state-machine/state-machine.js";

/** What a node is made of. Only the state machine has no default. */
export interface NodeParts {
  readonly stateMachine: StateMachine;
  /** Default: `@octopii/transport-quic`, loaded at start. The node closes it. */
  readonly transport?: Transport;
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  readonly random?: Random;
  /** Default: silence. */
  readonly logger?: Logger;
  /** Told what happens in the node, synchronously. Must not throw. */
  readonly onEvent?: (event: NodeEvent) => void;
  /**
   * Handlers of the application's own methods, served on the node's port. They decide by `context.peer` whom they answer. Names that begin with
   * `octopii.` are the node's.
   */
  readonly services?: RpcRouter;
  /**
   * Decides about files and bytes that others, members or clients, offer to this node: `offer.saveTo`, `toMemory` or `refuse`, by
   * `offer.peer`, `name`, `size` and `metadata`. Default: everything is refused.
   */
  readonly onOffer?: OfferHandler;
  /**
   * Whether a peer may use the cluster by the node's own methods: propose, query, ask for status. Must not throw. Default: whoever is of this
   * cluster, or of none that the transport knows. Members speak Raft whatever this says; those of another cluster never do.
   */
  readonly authorize?: (peer: PeerIdentity) => boolean;
  /**
   * Where the node's background work runs, by the runtime's clock and scheduler; it may be shared by several nodes. Close the nodes first, or
   * the runtime, which closes them. Default: one of the node's own.
   */
  readonly runtime?: Runtime;
  /** `runtime` is this node's alone, and closes with it. Default false. */
  readonly ownsRuntime?: boolean;
}

/** {@link NodeParts} with the system's in place of what was left out. */
export interface NodePorts {
  readonly stateMachine: StateMachine;
  readonly transport: Transport | null;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly onEvent: ((event: NodeEvent) => void) | null;
  readonly services: RpcRouter | null;
  readonly onOffer: OfferHandler | null;
  readonly authorize: (peer: PeerIdentity) => boolean;
  readonly background: Background;
}

const nothing = (): void => undefined;
export const silence: Logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** @param closeNode - for when the runtime closes first. */
export function completeParts(
  parts: NodeParts,
  { id, cluster }: { id: NodeId; cluster: string },
  closeNode: () => Promise<void>,
): NodePorts {
  const { runtime, logger = silence } = parts;
  const clock = runtime?.clock ?? parts.clock ?? systemClock;
  const background = new Background(id, { ...parts, clock, scheduler: parts.scheduler ?? systemScheduler, logger }, closeNode);
  return {
    stateMachine: parts.stateMachine,
    transport: parts.transport ?? null,
    fileSystem: parts.fileSystem ?? nodeFileSystem,
    clock,
    scheduler: background.tasks.scheduler,
    random: parts.random ?? systemRandom,
    logger,
    onEvent: parts.onEvent ?? null,
    services: parts.services ?? null,
    onOffer: parts.onOffer ?? null,
    authorize: parts.authorize ?? ((peer) => peer.cluster === null || peer.cluster === cluster),
    background,
  };
}
