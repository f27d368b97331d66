/**
 * What every `Transport` must do, as cases for any test runner.
 *
 * @packageDocumentation
 */
import { anytimeCases } from "./anytime-cases.js";
import { callbackCases } from "./callback-cases.js";
import { connectionCases } from "./connection-cases.js";
import { flowCases } from "./flow-cases.js";
import { identityCases } from "./identity-cases.js";
import { Lab } from "./lab.js";
import { resolveTransportSuiteOptions, type TransportFactory, type TransportSuiteOptions } from "./options.js";
import { streamCases } from "./stream-cases.js";

export { refusalReason, type TransportFactory, type TransportFixture, type TransportSuiteOptions } from "./options.js";

/** One thing that a transport must do. */
export interface TransportCase {
  /** The transport's name and what is tested. */
  readonly name: string;
  /** Rejects with an `AssertionError` when the transport does something else. Run one case at a time. */
  run(): Promise<void>;
}

/**
 * The cases for one transport: `for (const { name, run } of testTransport(…)) test(name, run);`.
 * @param name - stands before the name of each case.
 * @param factory - makes two fresh transports for each case; the suite closes them.
 */
export function testTransport(name: string, factory: TransportFactory, options: TransportSuiteOptions): readonly TransportCase[] {
  const config = resolveTransportSuiteOptions(options);
  const tables = [connectionCases, streamCases, flowCases, callbackCases, identityCases, anytimeCases];
  return tables.flatMap((table) =>
    Object.entries(table).map(([title, body]) => ({
      name: `${name}: ${title}`,
      run: async () => {
        const lab = new Lab(await factory(), config);
        let failed = true;
        try {
          await body(lab);
          failed = false;
        } finally {
          // The case's own failure says more than what follows from it.
          await (failed ? lab.close().catch(() => undefined) : lab.close());
        }
      },
    })),
  );
}
