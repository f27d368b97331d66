const WORDS: Readonly<Record<string, string>> = {
  EBADF: "bad file descriptor",
  EEXIST: "file already exists",
  EINVAL: "invalid argument",
  EIO: "i/o error",
  EISDIR: "illegal operation on a directory",
  ELOCKED: "locked by another process",
  EMFILE: "too many open files",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
};

/** An error as the operating system would give it. */
export interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path: string;
}

/** Makes an error in the shape of Node's system errors. @param note - added to the message. */
export function systemError(code: string, syscall: string, path: string, note = ""): SystemError {
  const message = `${code}: ${WORDS[code] ?? "simulated failure"}, ${syscall} '${path}'${note === "" ? "" : `: ${note}`}`;
  return Object.assign(new Error(message), { code, syscall, path });
}
