export { type AcceptStreamsOptions, acceptStreams } from "./accept-streams.js";
export { type AsyncStream, asyncStream, type WaitOptions } from "./async-stream.js";
export { isStreamError, StreamError, type StreamErrorCode } from "./errors.js";
export { type WebStreams, type WebStreamsOptions, webStreams } from "./web-streams.js";
