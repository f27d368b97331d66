import { isTemporaryName, MARK_NAME, segmentNumber } from "../format/format.js";

/** The names in a log's directory that matter. */
export interface DirectoryContents {
  readonly segments: readonly number[];
  readonly temporaries: readonly string[];
  readonly marked: boolean;
}

/** Sorts the names in a directory. Others than ours are left alone. */
export function sortNames(names: readonly string[]): DirectoryContents {
  const segments = names.map(segmentNumber).filter((number) => number !== null);
  return { segments: segments.sort((a, b) => a - b), temporaries: names.filter(isTemporaryName), marked: names.includes(MARK_NAME) };
}
