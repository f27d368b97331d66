/** Linearizability: record what clients saw, and decide whether one correct copy of the data could have shown it to them. */
export {
  type CheckCounts,
  checkEvents,
  checkLinearizability,
  type LinearizabilityResult,
  type Violation,
} from "./check.js";
export { type EventType, type HistoryEvent, operationsOf } from "./history.js";
export { encodeEdn, encodeJson, type JepsenCodec, type JepsenEvent, type JepsenValue, toJepsen } from "./jepsen.js";
export { type Model, type Operation, partitionBy } from "./model.js";
export { type AppendMapInput, type AppendMapOutput, appendMapJepsen, appendMapModel } from "./models/append-map.js";
export type { Cell, Scalar } from "./models/cell.js";
export { type RegisterInput, type RegisterOutput, registerJepsen, registerModel } from "./models/register.js";
export { type StoreInput, type StoreOutput, storeJepsen, storeModel } from "./models/store.js";
export {
  type LinearizabilityConfig,
  type LinearizabilityOptions,
  linearizabilityDefaults,
  resolveLinearizabilityOptions,
} from "./options.js";
export { createHistoryRecorder, type HistoryRecorder, type HistoryRecorderOptions, historyRecorderDefaults } from "./recorder.js";
export type { Evidence } from "./stuck-point.js";
