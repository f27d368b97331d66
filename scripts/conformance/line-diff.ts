/** How many lines of agreement are shown around a difference. */
const contextLines = 3;
/** Texts with more pairs of differing lines than this are shown one after the other: the comparison takes memory for each pair. */
const pairsMax = 4_000_000;

type Mark = " " | "-" | "+";

/** Shows where two texts differ: `-` before lines that are missing, `+` before those that are too many, and a few lines around. */
export function lineDiff(expected: string, actual: string): string {
  const lines = compareLines(expected.split("\n"), actual.split("\n"));
  const isNear = lines.map((_, at) => lines.slice(Math.max(0, at - contextLines), at + contextLines + 1).some(([mark]) => mark !== " "));
  const shown: string[] = [];
  let hidden = 0;
  for (const [at, [mark, line]] of lines.entries()) {
    if (!isNear[at]) {
      hidden++;
      continue;
    }
    if (hidden > 0) shown.push(`  … ${hidden} lines as expected …`);
    hidden = 0;
    shown.push(`${mark} ${line}`);
  }
  if (hidden > 0) shown.push(`  … ${hidden} lines as expected …`);
  return shown.join("\n");
}

function compareLines(expected: readonly string[], actual: readonly string[]): [Mark, string][] {
  let start = 0;
  while (start < expected.length && start < actual.length && expected[start] === actual[start]) start++;
  let end = 0;
  const room = Math.min(expected.length, actual.length) - start;
  while (end < room && expected[expected.length - 1 - end] === actual[actual.length - 1 - end]) end++;
  const same = (lines: readonly string[]): [Mark, string][] => lines.map((line) => [" ", line]);
  const middle = compareMiddle(expected.slice(start, expected.length - end), actual.slice(start, actual.length - end));
  return [...same(expected.slice(0, start)), ...middle, ...same(expected.slice(expected.length - end))];
}

/** Keeps the longest common subsequence. */
function compareMiddle(expected: readonly string[], actual: readonly string[]): [Mark, string][] {
  const missing = expected.map((line): [Mark, string] => ["-", line]);
  const surplus = actual.map((line): [Mark, string] => ["+", line]);
  if (expected.length === 0 || actual.length === 0 || expected.length * actual.length > pairsMax) return [...missing, ...surplus];
  const width = actual.length + 1;
  // Cell (i, j): how many lines the rests from i and j on have in common.
  const common = new Uint32Array((expected.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = actual.length - 1; j >= 0; j--) {
      common[i * width + j] = expected[i] === actual[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: [Mark, string][] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length && j < actual.length) {
    if (expected[i] === actual[j]) {
      lines.push([" ", expected[i] ?? ""]);
      i++;
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      lines.push(...missing.slice(i, ++i));
    } else {
      lines.push(...surplus.slice(j, ++j));
    }
  }
  return [...lines, ...missing.slice(i), ...surplus.slice(j)];
}
