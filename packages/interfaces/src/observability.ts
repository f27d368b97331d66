/** Takes structured log lines, in pino's shape: fields first, then one sentence. Silence is a valid implementation. */
export interface Logger {
  trace(fields: Readonly<Record<string, unknown>>, message: string): void;
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** A logger that adds `bindings` to every line. */
  child?(bindings: Readonly<Record<string, unknown>>): Logger;
}

/** Counts events; never goes down. */
export interface Counter {
  add(amount: number): void;
}

/** Holds the latest value. */
export interface Gauge {
  set(value: number): void;
}

/** Collects a distribution. */
export interface Histogram {
  record(value: number): void;
}

/** Label values of one instrument; fixed when the instrument is made, so that recording allocates nothing. */
export type MetricLabels = Readonly<Record<string, string>>;

/**
 * Makes instruments. Names follow the Prometheus conventions with base units, such as `octopii_raft_commit_latency_seconds`.
 * Asking twice for the same name and labels gives the same instrument.
 */
export interface Metrics {
  counter(name: string, labels?: MetricLabels): Counter;
  gauge(name: string, labels?: MetricLabels): Gauge;
  histogram(name: string, labels?: MetricLabels): Histogram;
}
