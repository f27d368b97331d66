import type { EventLoop } from "./event-loop.js";
import type { Lifetime } from "./lifetime.js";
import { eventKind } from "./simulated-event.js";

const DELIVERY = eventKind("delivery");

/** Hands something to a process: at once if it runs, when it resumes if it is paused, never if it is dead. Only from inside an event. */
export function enterLifetime(loop: EventLoop, lifetime: Lifetime, callback: () => void): void {
  if (lifetime.state === "running") callback();
  else if (lifetime.state === "paused") loop.post(0, lifetime, DELIVERY, 0, callback);
}
