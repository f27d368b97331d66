import type { NodeId } from "@octopii/interfaces";
import type { Message } from "../messages.js";

interface Batch {
  readonly peer: NodeId;
  messages: Message[];
}

/** The messages of a turn, by peer. */
export class Outbox {
  /** Of every peer that was ever written to. A group is small, and most turns write to all: to look through a list is faster than a map. */
  readonly #batches: Batch[] = [];
  #isEmpty = true;

  add(message: Message): void {
    this.#isEmpty = false;
    const { to } = message;
    for (const batch of this.#batches) {
      if (batch.peer !== to) continue;
      batch.messages.push(message);
      return;
    }
    this.#batches.push({ peer: to, messages: [message] });
  }

  /** Hands each peer's messages over, in the order in which they were added; the lists are the taker's. */
  sendAll(send: (peer: NodeId, messages: readonly Message[]) => void): void {
    if (this.#isEmpty) return;
    this.#isEmpty = true;
    for (const batch of this.#batches) {
      const { messages } = batch;
      if (messages.length === 0) continue;
      batch.messages = [];
      send(batch.peer, messages);
    }
  }
}
