import type { Clock, FileSystem, Logger, Random, Scheduler, Transport } from "@octopii/interfaces";
import { nodeFileSystem, systemClock, systemRandom, systemScheduler } from "@octopii/system";
import type { NodeEvent } from "./node-events.js";
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
}

const nothing = (): void => undefined;
export const silence: Logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

export function completeParts(parts: NodeParts): NodePorts {
  return {
    stateMachine: parts.stateMachine,
    transport: parts.transport ?? null,
    fileSystem: parts.fileSystem ?? nodeFileSystem,
    clock: parts.clock ?? systemClock,
    scheduler: parts.scheduler ?? systemScheduler,
    random: parts.random ?? systemRandom,
    logger: parts.logger ?? silence,
    onEvent: parts.onEvent ?? null,
  };
}
