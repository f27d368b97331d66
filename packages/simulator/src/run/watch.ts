import type { NodeEvent } from "@octopii/core";
import type { TraceRecord, World } from "@octopii/testing";
import type { Fleet } from "../cluster/fleet.js";
import type { MemberObserver } from "../cluster/simulated-member.js";
import type { Nemesis } from "../nemesis/nemesis.js";
import { isExcused } from "../nemesis/trouble.js";
import type { RaftOracle } from "../oracles/raft-oracle.js";
import { OracleViolation } from "../oracles/violation.js";
import type { WriteLedger } from "../oracles/write-ledger.js";
import { detailOf } from "./detail.js";
import type { Marks } from "./marks.js";

/** Whoever hears what nodes say. */
export interface WatchParts {
  readonly world: World;
  readonly oracle: RaftOracle;
  readonly ledger: WriteLedger;
  readonly marks: Marks;
  /** Known later than the watch, which the fleet is made with. */
  readonly fleet: () => Fleet;
  readonly nemesis: () => Nemesis;
  readonly record: (violation: OracleViolation) => void;
  readonly onTrace: ((record: TraceRecord) => void) | null;
}

/** Hands what each node says to the oracles, the marks, the trace, and the faults that wait for it. */
export function watchMembers(parts: WatchParts): MemberObserver {
  const { oracle, ledger, marks, fleet, nemesis, record } = parts;
  const judge = (look: () => void): void => {
    try {
      look();
    } catch (error) {
      record(error instanceof OracleViolation ? error : new OracleViolation("oracle", String(error)));
    }
  };
  /** A node is gone, of itself: is its disk to blame? */
  const gone = (id: number, error: unknown, mark: string, what: string): void => {
    const member = fleet().find(id);
    if (member === undefined || !isExcused(member, error)) return record(new OracleViolation(what, `node ${id}: ${describe(error)}`));
    marks.sometimes(mark);
    nemesis().attend(member);
  };
  return {
    event: (id, event) => {
      if (event.type === "stopped") return gone(id, event.error, "a node stopped for its disk", "stop");
      judge(() => {
        oracle.observe(id, event);
        marks.observe(event);
        tellLedger(ledger, id, event);
      });
      note(parts, id, event);
      nemesis().observe(id, event);
    },
    started: (id, { appliedIndex }) =>
      judge(() => {
        oracle.started(id, appliedIndex);
        if (appliedIndex > 0) ledger.restored(id, appliedIndex);
      }),
    startFailed: (id, error) => gone(id, error, "a node could not start for its disk", "start"),
    closeFailed: (id, error) => {
      const member = fleet().find(id);
      if (member === undefined || !isExcused(member, error))
        record(new OracleViolation("close", `node ${id} could not close: ${describe(error)}`));
      else nemesis().attend(member);
    },
  };
}

function tellLedger(ledger: WriteLedger, id: number, event: NodeEvent): void {
  if (event.type === "restore") ledger.began(id);
  if (event.type === "applied") for (const entry of event.entries) ledger.applied(id, entry);
  if (event.type === "restored") ledger.restored(id, event.snapshot.index);
}

function note({ world, onTrace }: WatchParts, id: number, event: NodeEvent): void {
  const node = `n${id}`;
  if (event.type === "role") world.note(node, `raft:${event.role}`, event.term);
  else if (event.type === "commit" || event.type === "configuration" || event.type === "compact")
    world.note(node, `raft:${event.type}`, event.index);
  else if (event.type === "snapshot") world.note(node, `raft:snapshot-${event.phase}`, event.snapshot.index);
  else if (onTrace !== null) {
    const detail = detailOf(event);
    if (detail !== null) onTrace({ time: world.now(), node, kind: `node:${event.type}`, detail });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? String(error) : `${String(error)} — because: ${describe(error.cause)}`;
}
