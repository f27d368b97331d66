/**
 * The `octopii` command as a function, and the development clusters that it runs: each node a process of its own, over QUIC with mutual
 * TLS, to be killed and restarted by tests and tools.
 *
 * @packageDocumentation
 */
export type { Io } from "./command.js";
export type { ClientConfig } from "./config/client-config.js";
export { connect } from "./config/client-config.js";
export { type DevCluster, type DevClusterOptions, openDevCluster } from "./dev/cluster.js";
export type { ProcessState } from "./dev/node-process.js";
export type { NodeReport } from "./dev/node-watch.js";
export { CliError, type CliErrorCode, isCliError } from "./errors.js";
export { run } from "./program.js";
export { type RepeatOptions, repeatUntilDone } from "./repeat.js";
