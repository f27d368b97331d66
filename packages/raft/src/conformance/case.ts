/** One thing that an implementation must do. */
export interface ConformanceCase {
  /** The implementation's name and what is tested. */
  readonly name: string;
  /** Rejects with an `AssertionError` when the implementation does something else. Run one case at a time. */
  run(): Promise<void>;
}

/** Cases by name. */
export type CaseTable<Lab> = Readonly<Record<string, (lab: Lab) => Promise<void>>>;

/** What a case works with: it cleans up after itself. */
export interface Disposable {
  dispose(): Promise<void>;
}

/** The cases of all `tables`, each with a lab of its own. */
export function casesOf<Lab extends Disposable>(name: string, tables: readonly CaseTable<Lab>[], makeLab: () => Lab): ConformanceCase[] {
  return tables.flatMap((table) =>
    Object.entries(table).map(([title, body]) => ({
      name: `${name}: ${title}`,
      run: async () => {
        const lab = makeLab();
        let failed = true;
        try {
          await body(lab);
          failed = false;
        } finally {
          // The case's own failure says more than what follows from it.
          await (failed ? lab.dispose().catch(() => undefined) : lab.dispose());
        }
      },
    })),
  );
}
