import type { Codec } from "./codec.js";

/** A method with the codecs of its request and response; both sides share it. Made by {@link defineMethod}. */
export interface Method<Request, Response> {
  readonly name: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

/** A one-way method with the codec of its message. Made by {@link defineOneWay}. */
export interface OneWayMethod<Message> {
  readonly name: string;
  readonly message: Codec<Message>;
}

/** Methods are short names in ASCII, so that they can be compared, logged and counted as they are. */
const validName = /^[\x21-\x7e]{1,255}$/;

/** @throws {RangeError} if `name` is not 1 to 255 printable ASCII characters without spaces. */
export function checkMethodName(name: string): void {
  if (!validName.test(name)) {
    throw new RangeError(`The method name ${JSON.stringify(name)} must be 1 to 255 printable ASCII characters without spaces.`);
  }
}

/** The codecs of {@link defineMethod}. */
export interface MethodCodecs<Request, Response> {
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

/**
 * Describes a method once for both sides.
 * @param name - 1 to 255 printable ASCII characters without spaces, such as `accounts.transfer`.
 * @throws {RangeError} for any other name.
 */
export function defineMethod<Request, Response>(name: string, codecs: MethodCodecs<Request, Response>): Method<Request, Response> {
  checkMethodName(name);
  return Object.freeze({ name, request: codecs.request, response: codecs.response });
}

/**
 * Describes a one-way method once for both sides.
 * @throws {RangeError} as {@link defineMethod} does.
 */
export function defineOneWay<Message>(name: string, message: Codec<Message>): OneWayMethod<Message> {
  checkMethodName(name);
  return Object.freeze({ name, message });
}

/** Names are sent with every call; the encoded forms of the latest ones are kept. */
const maxKeptNames = 1_024;
const keptNames = new Map<string, Uint8Array>();

/** The bytes of a method name, shared between calls. @throws {RangeError} as {@link checkMethodName} does. */
export function methodNameBytes(name: string): Uint8Array {
  const kept = keptNames.get(name);
  if (kept !== undefined) return kept;
  checkMethodName(name);
  const bytes = new TextEncoder().encode(name);
  if (keptNames.size >= maxKeptNames) keptNames.clear();
  keptNames.set(name, bytes);
  return bytes;
}

/** The name at `bytes[start, end)`. Bytes beyond ASCII give a name that no handler has. */
export function readMethodName(bytes: Uint8Array, start: number, end: number): string {
  let name = "";
  for (let index = start; index < end; index++) name += String.fromCharCode(bytes[index] ?? 0);
  return name;
}
