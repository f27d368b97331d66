import type { Scheduler } from "@octopii/interfaces";

/** What a turn is made of. */
export interface TurnHost {
  /** Nothing is left to do, now or ever. */
  readonly isOver: boolean;
  /** Owners have to be told of something. */
  readonly hasNews: boolean;
  /** Tells the owners what has happened. */
  tell(): void;
  /** Sends what they and others want to send. Calls no owner. */
  send(): void;
  /** Something threw, by a fault of the transport. */
  failed(error: unknown): void;
}

/** Rounds of "tell the owners, send what they wrote" in one turn. More go on in the next. */
const roundsMax = 8;

/** Gathers what is to be done on a connection into turns of the event loop. */
export class Turns {
  readonly #scheduler: Scheduler;
  readonly #host: TurnHost;
  /** A turn is under way, or will be. */
  #isDue = false;
  /** Something was asked for since the last look at it. */
  #again = false;

  constructor(scheduler: Scheduler, host: TurnHost) {
    this.#scheduler = scheduler;
    this.#host = host;
  }

  /** Asks for a turn: the one that is under way, or the next of the event loop. */
  wake(): void {
    this.#again = true;
    if (this.#isDue || this.#host.isOver) return;
    this.#isDue = true;
    this.#scheduler.nextTurn(this.run);
  }

  /** Whether nobody has asked for a turn; from then on until {@link run}, whoever asks has it there. */
  claim(): boolean {
    if (this.#isDue) return false;
    this.#isDue = true;
    return true;
  }

  /** A turn, now. */
  readonly run = (): void => {
    // What is asked for from here on is done in this turn, and needs none of its own.
    this.#isDue = true;
    let isDone = true;
    try {
      isDone = this.#rounds();
    } catch (error) {
      this.#host.failed(error);
    }
    this.#isDue = false;
    if (!isDone) this.wake();
  };

  #rounds(): boolean {
    const host = this.#host;
    for (let round = 0; round < roundsMax; round += 1) {
      if (host.isOver) return true;
      host.tell();
      this.#again = false;
      host.send();
      if (!host.hasNews && !this.#again) return true;
    }
    return false;
  }
}
