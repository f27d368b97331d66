import { describeConfiguration } from "../../describe.js";
import { describeChange, hexadecimal as hex } from "../describe.js";
import type { LogLine } from "../printer.js";
import type { ReplicaView } from "../replica-view.js";
import { type Event, info, warn } from "./words.js";

export function configurationLine({ id }: ReplicaView, { configuration }: Event<"configuration">): LogLine {
  return info(`${hex(id)} switched to configuration ${describeConfiguration(configuration)}`);
}

/** How etcd refuses a change of the membership. */
export function refusedChangeLine({ change, refusal, reason }: Event<"changeRefused">, view: ReplicaView): LogLine {
  const { id, configuration, pendingChangeIndex, appliedIndex } = view;
  const reasons: Readonly<Record<string, string>> = {
    changePending: `possible unapplied conf change at index ${pendingChangeIndex} (applied to ${appliedIndex})`,
    alreadyJoint: "must transition out of joint config first",
    notJoint: "not in joint state; refusing empty conf change",
  };
  const why = reasons[refusal] ?? reason;
  return info(`${hex(id)} ignoring conf change ${describeChange(change)} at config ${describeConfiguration(configuration)}: ${why}`);
}

export function autoLeaveLine({ configuration }: Event<"autoLeave">): LogLine {
  return info(`initiating automatic transition out of joint configuration ${describeConfiguration(configuration)}`);
}

export function voidChangeLine({ id }: ReplicaView, { index, reason }: Event<"changeVoid">): LogLine {
  return warn(`${hex(id)} applies conf change at index ${index} without effect: ${reason}`);
}

export function snapshotLines({ phase, snapshot }: Event<"snapshot">, view: ReplicaView): LogLine[] {
  const { id, commitIndex, appliedIndex, applyingIndex, log } = view;
  const what = `snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`;
  const known = `commit: ${commitIndex}, lastindex: ${log.last.index}, lastterm: ${log.last.term}`;
  switch (phase) {
    case "available":
      return [];
    case "restoring": {
      const indexes = `committed=${commitIndex}, applied=${appliedIndex}, applying=${applyingIndex}`;
      const unstable = `unstable.offset=${log.offset}, unstable.offsetInProgress=${log.offsetInProgress}`;
      return [info(`log [${indexes}, ${unstable}, len(unstable.Entries)=${log.unstableCount}] starts to restore ${what}`)];
    }
    case "restored":
      return [info(`${hex(id)} [${known}] restored ${what}`), info(`${hex(id)} [commit: ${commitIndex}] restored ${what}`)];
    case "fastForwarded": {
      const forwarded = info(`${hex(id)} [${known}] fast-forwarded commit to ${what}`);
      return [forwarded, info(`${hex(id)} [commit: ${snapshot.index}] ignored ${what}`)];
    }
    case "ignored":
      return [info(`${hex(id)} [commit: ${commitIndex}] ignored ${what}`)];
  }
}
