import type { File } from "@octopii/interfaces";

/** Bytes in memory as a file that can only be read. */
export function memoryFile(bytes: Uint8Array): File {
  const refuse = (): Promise<never> => Promise.reject(new Error("read only"));
  return {
    read: (buffer, position) => {
      const part = bytes.subarray(position, position + buffer.length);
      buffer.set(part);
      return Promise.resolve(part.length);
    },
    write: refuse,
    sync: refuse,
    truncate: refuse,
    size: () => Promise.resolve(bytes.length),
    close: () => Promise.resolve(),
  };
}
