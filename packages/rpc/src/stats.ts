/** Counts of one endpoint since it was made, and what is going on now. */
export interface RpcStats {
  /** Calls that were begun, those refused at once included. */
  readonly callsStarted: number;
  readonly callsSucceeded: number;
  /** Calls that the peer answered with an error, and calls whose stream was lost. */
  readonly callsFailed: number;
  /** Calls whose deadline passed on this side. */
  readonly callsTimedOut: number;
  /** Calls that their caller aborted. */
  readonly callsCancelled: number;
  /** Calls that never left: a limit was reached, or the client or its connection was closed. */
  readonly callsRefused: number;
  readonly oneWaySent: number;
  readonly oneWayRefused: number;
  /** Answers that came after their call was over; dropped. */
  readonly lateResponses: number;
  readonly requestsReceived: number;
  /** Requests that were answered without running a handler. */
  readonly requestsRefused: number;
  /** Requests whose deadline passed while their handler ran. */
  readonly requestsTimedOut: number;
  /** Requests that the caller cancelled while their handler ran. */
  readonly requestsCancelled: number;
  readonly oneWayReceived: number;
  /** One-way messages without a handler, or over a limit; dropped. */
  readonly oneWayDropped: number;
  /** Handlers that threw something other than an RpcError or answered something other than bytes; of one-way messages, all that threw. */
  readonly handlersFailed: number;
  /** Results of handlers whose caller no longer waited; dropped. */
  readonly lateResults: number;
  /** Frames of an unknown type or of the wrong direction, with an id that is in use or was never given out; skipped. */
  readonly ignoredFrames: number;
  /** Streams that were reset because the peer broke the protocol. */
  readonly malformedStreams: number;
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Calls of `Stream.write`; frames per write is how well batching works. */
  readonly writes: number;
  /** Calls of ours that wait for their answer now. */
  readonly pendingCalls: number;
  /** Handlers that run now. */
  readonly runningHandlers: number;
  /** Bytes that wait now because streams do not drain. */
  readonly queuedBytes: number;
  /** Streams that are open now, both ways. */
  readonly openStreams: number;
}

export type RpcCounters = { -readonly [name in keyof RpcStats]: number };

export function createCounters(): RpcCounters {
  return {
    callsStarted: 0,
    callsSucceeded: 0,
    callsFailed: 0,
    callsTimedOut: 0,
    callsCancelled: 0,
    callsRefused: 0,
    oneWaySent: 0,
    oneWayRefused: 0,
    lateResponses: 0,
    requestsReceived: 0,
    requestsRefused: 0,
    requestsTimedOut: 0,
    requestsCancelled: 0,
    oneWayReceived: 0,
    oneWayDropped: 0,
    handlersFailed: 0,
    lateResults: 0,
    ignoredFrames: 0,
    malformedStreams: 0,
    framesSent: 0,
    framesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    writes: 0,
    pendingCalls: 0,
    runningHandlers: 0,
    queuedBytes: 0,
    openStreams: 0,
  };
}
