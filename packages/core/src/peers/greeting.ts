import type { Connection, Stream } from "@octopii/interfaces";

/** Names the stream by which a member that dialed another agrees with it on the connection that both are to use. Its name is its version. */
export const linkProtocol = "octopii/link/1";

/**
 * What is said on that stream, once in each direction.
 * - `hello`: the dialer asks for its connection to be the one between the two.
 * - `accept`: it is; the answerer has no other, and takes back what hellos it has sent itself.
 * - `yield`: it is not; there is another, or there will be in a moment, because the answerer's own hello goes before this one.
 */
export interface Greeting {
  readonly kind: "hello" | "accept" | "yield";
  /** Drawn when a node starts, so that the counts of two lives are not taken for one. */
  readonly life: number;
  /** How many hellos the sender has sent to this peer in this life; of a hello, its own number. */
  readonly hellos: number;
}

const kinds = ["hello", "accept", "yield"] as const;
const greetingBytes = 9;
/** Stream codes: what came is no greeting; nobody waits for one any more. */
const malformed = 1;
const givenUp = 2;

function encode({ kind, life, hellos }: Greeting): Uint8Array {
  const bytes = new Uint8Array(greetingBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kinds.indexOf(kind));
  view.setUint32(1, life);
  view.setUint32(5, hellos);
  return bytes;
}

function decode(bytes: Uint8Array): Greeting | null {
  const view = new DataView(bytes.buffer);
  const kind = kinds[view.getUint8(0)];
  return kind === undefined ? null : { kind, life: view.getUint32(1), hellos: view.getUint32(5) };
}

/** Reads the one greeting of a stream, and no more. Calls `onRead` once: with null where the stream is over, or has held something else. */
function read(stream: Stream, onRead: (greeting: Greeting | null) => void): void {
  const bytes = new Uint8Array(greetingBytes);
  let filled = 0;
  const over = (greeting: Greeting | null): void => {
    stream.onReadable = null;
    stream.onClose = null;
    if (!stream.ended) stream.stop(givenUp);
    onRead(greeting);
  };
  stream.onClose = () => over(null);
  stream.onReadable = () => {
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) {
      if (filled + chunk.length > greetingBytes) return over(null);
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    if (filled === greetingBytes) over(decode(bytes));
    else if (stream.ended || stream.resetCode !== null) over(null);
  };
}

/**
 * Says hello on a connection that we dialed.
 * @param onAnswer - called once, with null where no answer can come any more; not after the returned function was called.
 * @returns gives the wait for the answer up. @throws what the connection throws if it is closed already.
 */
export function sayHello(connection: Connection, hello: Greeting, onAnswer: (answer: Greeting | null) => void): () => void {
  const stream = connection.openStream(linkProtocol);
  stream.write(encode(hello));
  stream.end();
  read(stream, (answer) => onAnswer(answer?.kind === "hello" ? null : answer));
  return () => {
    stream.onReadable = null;
    stream.onClose = null;
    stream.reset(givenUp);
    stream.stop(givenUp);
  };
}

/** Takes a stream that a peer opened for {@link linkProtocol}. @param answer - gives the answer to its hello; called once at most. */
export function answerHello(stream: Stream, answer: (hello: Greeting) => Greeting): void {
  read(stream, (hello) => {
    if (hello?.kind !== "hello") return stream.reset(malformed);
    const words = encode(answer(hello));
    try {
      stream.write(words);
    } catch {
      // The peer does not wait for it any more: it closed the connection, or gave the stream up.
    }
    stream.end();
  });
}
