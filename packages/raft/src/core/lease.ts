/** Rounds whose confirmation may still come. More would mean that nobody answers, and then there is no lease to extend. */
const roundsMax = 64;

/**
 * A leader's lease: while it lasts, no rival can have been elected, because a quorum that heard from us refuses to vote. It begins when a
 * heartbeat round was *sent*, and is shorter than the shield by a tick, whose phase we don't know, and by what clocks may differ.
 * Source: Raft dissertation §6.4.1; times are in ticks of our own clock.
 */
export class Lease {
  readonly #lengthTicks: number;
  #rounds: number[] = [];
  #sentAt: number[] = [];
  #until = Number.NEGATIVE_INFINITY;

  constructor(electionTicks: number, clockDriftMax: number) {
    this.#lengthTicks = (electionTicks - 1) * (1 - clockDriftMax);
  }

  sent(round: number, now: number): void {
    if (this.#rounds.length === roundsMax) {
      this.#rounds.shift();
      this.#sentAt.shift();
    }
    this.#rounds.push(round);
    this.#sentAt.push(now);
  }

  /** A quorum has answered `round`, and so all before it. */
  confirmed(round: number): void {
    let count = 0;
    while (count < this.#rounds.length && (this.#rounds[count] as number) <= round) count++;
    if (count === 0) return;
    this.#until = Math.max(this.#until, (this.#sentAt[count - 1] as number) + this.#lengthTicks);
    this.#rounds.splice(0, count);
    this.#sentAt.splice(0, count);
  }

  isValid(now: number): boolean {
    return now < this.#until;
  }

  end(): void {
    this.#rounds = [];
    this.#sentAt = [];
    this.#until = Number.NEGATIVE_INFINITY;
  }
}
