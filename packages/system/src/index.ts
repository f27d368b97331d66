export { systemClock } from "./clock.js";
export { systemRandom } from "./random.js";
export { systemScheduler } from "./scheduler.js";
