/** `pnpm tidy`: the repository against its own rules: what library code may not touch, lengths, packages, documents. */
import { commandLine } from "./lib/command-line.js";
import { repositoryRoot } from "./lib/root.js";
import { describe } from "./tidy/finding.js";
import { inspectRepository } from "./tidy/inspect.js";

commandLine(
  `pnpm tidy: holds the repository against its own rules.

Library code outside adapters/ touches no clock, timer, randomness, file, socket or console; files stay within 500 lines and
functions within 70; nothing is marked as unfinished; every test runs; packages have what they must have; links lead somewhere;
every dependency has its reason. Exit 0 when there is nothing to say, else 1 with a line for each finding.`,
  {},
);

const findings = inspectRepository(repositoryRoot);
for (const finding of findings) console.error(describe(finding));
process.stdout.write(`${findings.length} findings\n`);
process.exitCode = findings.length === 0 ? 0 : 1;
