import { openHasher } from "./format/hasher.js";

/**
 * Compiles the checksum ahead of the first open, which then takes no turn of the real event loop: for simulations, where every
 * turn must be virtual, and for programs that want their first open to be as quick as the later ones.
 */
export async function prepareWalrus(): Promise<void> {
  await openHasher();
}
