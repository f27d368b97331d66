import type { Tally } from "../lib/verdict.js";

/** A file of tests in vitest's JSON report. */
interface TestFile {
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

/**
 * Counts the tests in a report of vitest's JSON reporter. A file that failed without a failed test (it could not be loaded, or a
 * hook threw) counts as one failure, and so does a report without any test. Null when the text is no report.
 */
export function parseVitest(text: string): Tally | null {
  const files = testFiles(text);
  if (files === null) return null;
  const statuses = files.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const broken = files.filter(
    ({ status, assertionResults }) => status !== "passed" && assertionResults.every((test) => test.status !== "failed"),
  );
  const passed = statuses.filter((status) => status === "passed").length;
  const failed = statuses.filter((status) => status === "failed").length + broken.length;
  return { passed, failed: passed + failed === 0 ? 1 : failed };
}

function testFiles(text: string): readonly TestFile[] | null {
  try {
    const report = JSON.parse(text) as { testResults?: readonly TestFile[] } | null;
    return Array.isArray(report?.testResults) ? report.testResults : null;
  } catch {
    return null;
  }
}
