/** The code of a stream that was refused because nobody listens for streams. */
export const STREAM_REFUSED = 0xffff_ffff;

/** @throws RangeError unless `code` fits the port: an integer from 0 to 2^32-1. */
export function checkCode(code: number): void {
  if (Number.isInteger(code) && code >= 0 && code <= 0xffff_ffff) return;
  throw new RangeError(`a code is an integer from 0 to 4294967295, not ${code}`);
}

/** @throws RangeError unless `protocol` is 1 to 64 printable ASCII characters. */
export function checkProtocol(protocol: string): void {
  if (/^[\x20-\x7e]{1,64}$/.test(protocol)) return;
  throw new RangeError(`a stream's protocol is 1 to 64 printable ASCII characters, not ${JSON.stringify(protocol)}`);
}
