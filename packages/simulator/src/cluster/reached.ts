import type { NodeEvent } from "@octopii/core";

/** Counts what came about in a run, to show that seeds get where they are meant to get. */
export class Reached {
  readonly counts: Record<string, number> = {};

  observe(event: NodeEvent): void {
    switch (event.type) {
      case "restore":
        if ((event.terms[0]?.firstIndex ?? 0) > 0) this.#add("starts from a snapshot");
        return;
      case "role":
        if (event.role === "leader") this.#add("leaders");
        return;
      case "truncate":
        return this.#add("truncations");
      case "snapshot":
        return this.#add(`snapshots ${event.phase}`);
      case "compact":
        return this.#add("compactions");
      case "transfer":
        return this.#add(`transfers ${event.phase}`);
      case "autoLeave":
        return this.#add("joint configurations left");
      case "changeRefused":
        return this.#add(`refused: ${event.refusal}`);
      case "changeVoid":
        return this.#add("void changes");
      case "campaignRefused":
        return this.#add(`campaigns refused: ${event.obstacle}`);
      case "shielded":
        return this.#add("shielded");
      case "quorumLost":
        return this.#add("quorums lost");
      default:
        return;
    }
  }

  #add(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
