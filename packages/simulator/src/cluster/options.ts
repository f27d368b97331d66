/** How one simulated cluster is made and treated. Everything that is left out is drawn from the seed. */
export interface ClusterRunOptions {
  readonly seed: number;
  /** Founders. Default: 3 mostly, 1 or 5 at times. */
  readonly nodes?: number;
  /** Client operations before the faults end. Default: 100 to 300. */
  readonly operations?: number;
  /** Sees every record of the trace. */
  readonly onTrace?: (record: import("@octopii/testing").TraceRecord) => void;
}

/** What a run did, and whether every promise was kept. */
export interface ClusterRunResult {
  readonly seed: number;
  readonly nodes: number;
  /** Client operations, final reads included. */
  readonly operations: number;
  /** Of those, with a certain success. */
  readonly acknowledged: number;
  /** Faults by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** What the operator asked for by kind, and how much of it was done. */
  readonly changes: Readonly<Record<string, number>>;
  /** What came about: configurations taken into effect, snapshots taken and installed, compactions, and so on. */
  readonly reached: Readonly<Record<string, number>>;
  /** Null when every oracle was content. */
  readonly failure: { readonly oracle: string; readonly message: string } | null;
  readonly events: number;
  readonly virtualMs: number;
  /** Over everything that happened: equal for equal seeds, whatever the process. */
  readonly hash: string;
}
