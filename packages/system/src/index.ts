export { systemClock } from "./clock.js";
export { blockingFileSystem, nodeFileSystem } from "./file-system.js";
export { systemRandom } from "./random.js";
export { systemScheduler } from "./scheduler.js";
