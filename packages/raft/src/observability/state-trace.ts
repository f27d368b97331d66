import type { NodeId } from "@octopii/interfaces";
import type { Configuration } from "../configuration/index.js";
import type { RaftInput, RaftOutput } from "../core/input-output.js";
import type { RaftCoreStart } from "../core/raft-core.js";
import type { AppendEntriesResponse, Message } from "../messages.js";
import type { TraceEvent, TraceSink } from "../trace.js";
import type { Entry, Role } from "../types.js";
import {
  idsOf,
  messageEventName,
  roleNames,
  type StateTraceEvent,
  type StateTraceEventName,
  tracedChanges,
  tracedMessage,
} from "./state-trace-event.js";

/** Renders what one replica does for etcd's TLA+ specification to validate. */
export interface StateTrace {
  /** For the core, as its trace sink. */
  readonly sink: TraceSink;
  /**
   * After each step, with what the core was given and what it gave.
   * @throws RangeError if the input holds several messages, or a message besides what the disk or the state machine has done: a line about a
   * message must stand where the message was taken, so each needs a step of its own.
   */
  readonly stepped: (input: RaftInput, output: RaftOutput) => void;
}

/**
 * Writes a line of JSON for every transition, in the schema that etcd-io/raft's `Traceetcdraft.tla` reads; the lines of all replicas belong into
 * one file, in the order in which things happened. Each line is `{"tag":"trace","event":{…}}`: the event's name, the replica (`nid`), its hard
 * state, role, last index and voters after the event (before it, for a message that is received and a change that takes effect), and the message
 * or change that it is about.
 *
 * The specification knows no pre-vote, reads, transfers, and no changes of several members at once: turn pre-vote off for a trace that it is to
 * judge. It takes a write for done when it is handed over, so it cannot judge a crash that loses writes. Heartbeats, snapshots and the first
 * entry of a group stand for what the specification has in their place.
 *
 * @param start - what the core starts from.
 * @param write - takes each line, without a line break.
 */
export function createStateTrace(start: RaftCoreStart, write: (line: string) => void): StateTrace {
  const tracer = new StateTracer(start, write);
  return { sink: (event) => tracer.take(event), stepped: (input, output) => tracer.stepped(input, output) };
}

/** Reasons for which a message never comes before the protocol. */
const unseen: readonly string[] = ["inboxFull", "notForUs", "malformed", "unknownSender"];

class StateTracer {
  readonly #id: NodeId;
  readonly #group: number;
  readonly #write: (line: string) => void;
  /** The replica, as its events tell. */
  #role: Role = "follower";
  #term: number;
  #votedFor: NodeId;
  #commitIndex: number;
  #lastIndex: number;
  #configuration: Configuration;
  /** What this replica has acknowledged to itself as leader. */
  #ownMatch = 0;
  #events: TraceEvent[] = [];
  /** Promises that were told of when they were made, and leave later. */
  readonly #told = new Set<Message>();
  /** What this replica promised to itself, by the write that it waits for. */
  #toSelf: { readonly sequence: number; readonly message: Message }[] = [];
  /** The like of this step, whose write is not known yet. */
  #newToSelf: Message[] = [];

  constructor(start: RaftCoreStart, write: (line: string) => void) {
    this.#id = start.id;
    this.#group = start.group;
    this.#write = write;
    this.#term = start.hardState.currentTerm;
    this.#votedFor = start.hardState.votedFor;
    this.#commitIndex = start.log.commitIndex;
    this.#lastIndex = start.log.lastIndex;
    this.#configuration = start.configuration;
  }

  take(event: TraceEvent): void {
    if (event.type !== "restore") {
      this.#events.push(event);
      return;
    }
    this.#line("InitState");
    this.#line("BecomeFollower");
  }

  stepped(input: RaftInput, output: RaftOutput): void {
    const messages = input.messages ?? [];
    const isMixed = messages.length > 0 && (input.durableSequence !== undefined || input.applied !== undefined);
    if (messages.length > 1 || isMixed) throw new RangeError("Give each message a step of its own while the state is traced.");
    const events = this.#events;
    this.#events = [];
    if (input.durableSequence !== undefined) this.#receiveOwn(input.durableSequence);
    for (const message of messages) if (!isUnseen(message, events)) this.#message("Receive", message);
    for (const event of events) this.#render(event);
    const isSending = this.#send(output);
    if (output.write !== null || output.apply !== null || isSending) this.#line("Ready");
  }

  /** What waited for the writes up to `sequence` reaches this replica itself. */
  #receiveOwn(sequence: number): void {
    const arrived = this.#toSelf.filter((own) => own.sequence <= sequence);
    this.#toSelf = this.#toSelf.filter((own) => own.sequence > sequence);
    for (const { message } of arrived) {
      this.#message("Receive", message);
      const isAck = message.type === "AppendEntriesResponse" && message.term === this.#term;
      if (isAck) this.#ownMatch = Math.max(this.#ownMatch, message.index);
    }
  }

  /** @returns whether there was anything to send. */
  #send({ write, messages }: RaftOutput): boolean {
    let isSending = false;
    for (const message of write?.releases ?? []) {
      this.#message("Send", message);
      if (message.to !== this.#id) this.#told.add(message);
      else if (message.type === "RequestVoteResponse") this.#newToSelf.push(message);
    }
    for (const message of messages) {
      if (this.#told.delete(message)) continue;
      this.#message("Send", message);
      isSending = true;
    }
    if (write !== null) for (const message of this.#newToSelf) this.#toSelf.push({ sequence: write.sequence, message });
    this.#newToSelf = [];
    return isSending;
  }

  #render(event: TraceEvent): void {
    switch (event.type) {
      case "role":
        return this.#become(event.role, event.term);
      case "vote":
        if (event.granted && event.ballot === "vote") this.#votedFor = event.candidate;
        return;
      case "append":
        return this.#append(event.entries);
      case "changeProposed":
        return this.#changeProposed({ changes: tracedChanges(event.change) });
      case "autoLeave":
        return this.#changeProposed({ changes: [] });
      case "truncate":
        this.#lastIndex = event.index - 1;
        return;
      case "commit":
        this.#commitIndex = event.index;
        return this.#role === "leader" ? this.#line("Commit") : undefined;
      case "configuration":
        return this.#configured(event.index, event.configuration);
      case "snapshot":
        return event.phase === "restoring" ? this.#restoring(event.snapshot.index) : undefined;
      default:
        return;
    }
  }

  #become(role: Role, term: number): void {
    if (term > this.#term) this.#votedFor = 0;
    this.#role = role;
    this.#term = term;
    if (role === "candidate") this.#votedFor = this.#id;
    if (role === "leader") this.#ownMatch = this.#lastIndex;
    if (role === "follower") this.#line("BecomeFollower");
    else if (role === "candidate") this.#line("BecomeCandidate");
    else if (role === "leader") this.#line("BecomeLeader");
  }

  #append(entries: readonly Entry[]): void {
    if (this.#role !== "leader") {
      this.#lastIndex += entries.length;
      return;
    }
    // A change has a line of its own, which the event after this one brings.
    if (entries[0]?.kind === "configuration") return;
    for (const _entry of entries) {
      this.#line("Replicate");
      this.#lastIndex++;
    }
    this.#acknowledgeOwn();
  }

  #changeProposed(cc: { changes: ReturnType<typeof tracedChanges> }): void {
    if (cc.changes.length > 0) this.#line("ChangeConf", { prop: { cc } });
    this.#lastIndex++;
    this.#acknowledgeOwn();
  }

  /** A leader's own log counts when it is on the disk: the specification has it send itself an answer. */
  #acknowledgeOwn(): void {
    const answer = { rejected: false, index: this.#lastIndex, hintIndex: 0, hintTerm: 0 };
    const own: AppendEntriesResponse = {
      type: "AppendEntriesResponse",
      group: this.#group,
      from: this.#id,
      to: this.#id,
      term: this.#term,
      ...answer,
    };
    this.#message("Send", own);
    this.#newToSelf.push(own);
  }

  #configured(index: number, configuration: Configuration): void {
    // The founders knew it from the start.
    const isKnown = index === 1 && configuration.voters.join() === this.#configuration.voters.join();
    if (!isKnown) this.#line("ApplyConfChange", { prop: { cc: { newconf: idsOf(configuration.voters) } } });
    this.#configuration = configuration;
  }

  #restoring(index: number): void {
    this.#lastIndex = index;
    this.#commitIndex = index;
  }

  #message(way: "Send" | "Receive", message: Message): void {
    const name = messageEventName(way, message);
    const msg = tracedMessage(message);
    if (name === null || msg === null) return;
    const isAppend = way === "Send" && message.type === "AppendEntries";
    this.#line(name, isAppend ? { msg, prop: { match: this.#ownMatch, next: this.#ownMatch + 1 } } : { msg });
  }

  #line(name: StateTraceEventName, more: Pick<StateTraceEvent, "msg" | "prop"> = {}): void {
    const { voters, votersOutgoing } = this.#configuration;
    const event: StateTraceEvent = {
      name,
      nid: String(this.#id),
      state: { term: this.#term, vote: String(this.#votedFor), commit: this.#commitIndex },
      role: roleNames[this.#role],
      log: this.#lastIndex,
      conf: [idsOf(voters), idsOf(votersOutgoing)],
      ...more,
    };
    this.#write(JSON.stringify({ tag: "trace", event }));
  }
}

function isUnseen(message: Message, events: readonly TraceEvent[]): boolean {
  return events.some((event) => event.type === "drop" && event.message === message && unseen.includes(event.reason));
}
