import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import openPublicXxhash from "xxhash-wasm";

/** xxHash64 over a memory that the caller fills. Addresses count from the memory's first byte. */
export interface Xxhash {
  /** Always the same array. */
  readonly memory: Uint8Array;
  /** The hash of a part of the memory: of its 64 bits as a signed or an unsigned number. */
  readonly hash: (at: number, length: number, seed: bigint) => bigint;
  /** Begins a running hash. Others may be begun and go on meanwhile. */
  readonly start: (seed: bigint) => RunningXxhash;
}

/** A hash over several parts. */
export interface RunningXxhash {
  update(at: number, length: number): void;
  /** Of the 64 bits as a signed or an unsigned number. */
  digest(): bigint;
}

/** What the compiled module gives. */
interface CompiledXxhash {
  readonly mem: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  xxh64(at: number, length: number, seed: bigint): bigint;
  /** Sets the seeded words of the state at `state`, and leaves the others. */
  init64(state: number, seed: bigint): void;
  update64(state: number, at: number, length: number): void;
  digest64(state: number): bigint;
}

/** The part of the global object that TypeScript knows for browsers only. */
declare const WebAssembly: {
  instantiate(code: Uint8Array): Promise<{ readonly instance: { readonly exports: unknown } }>;
};

const PAGE_BYTES = 64 * 1024;
/** The length of a running hash's state; the memory begins with room for one. */
export const STATE_BYTES = 88;

/**
 * The compiled code that xxhash-wasm carries, with a memory of our own filling. The package's JavaScript copies each input and hides the
 * memory, which for a record of a few hundred bytes costs more than the hash; it is used where the file with the code is not to be found,
 * such as in a program that was bundled.
 */
export async function openXxhash(memoryBytes: number): Promise<Xxhash> {
  const code = await compiledCode();
  return code === null ? openPublic(memoryBytes) : openCompiled(code, memoryBytes);
}

async function compiledCode(): Promise<Uint8Array | null> {
  try {
    const main = createRequire(import.meta.url).resolve("xxhash-wasm");
    return await readFile(join(dirname(main), "..", "workerd", "xxhash.wasm"));
  } catch {
    return null;
  }
}

async function openCompiled(code: Uint8Array, memoryBytes: number): Promise<Xxhash> {
  const { instance } = await WebAssembly.instantiate(code);
  const { mem, xxh64, init64, update64, digest64 } = instance.exports as CompiledXxhash;
  // Once only: to grow takes the bytes away from all arrays that were made before.
  mem.grow(Math.max(0, Math.ceil((memoryBytes - mem.buffer.byteLength) / PAGE_BYTES)));
  const memory = new Uint8Array(mem.buffer);
  const start = (seed: bigint): RunningXxhash => {
    memory.fill(0, 0, STATE_BYTES);
    init64(0, seed);
    const state = memory.slice(0, STATE_BYTES);
    return {
      update(at, length) {
        memory.set(state);
        update64(0, at, length);
        state.set(memory.subarray(0, STATE_BYTES));
      },
      digest() {
        memory.set(state);
        return digest64(0);
      },
    };
  };
  return { memory, hash: xxh64, start };
}

/** The same by the package's own interface: slower for short inputs. */
export async function openPublic(memoryBytes: number): Promise<Xxhash> {
  const { h64Raw, create64 } = await openPublicXxhash();
  const memory = new Uint8Array(memoryBytes);
  return {
    memory,
    hash: (at, length, seed) => h64Raw(memory.subarray(at, at + length), seed),
    start: (seed) => {
      const running = create64(seed);
      return {
        update: (at, length) => void running.update(memory.subarray(at, at + length)),
        digest: () => running.digest(),
      };
    },
  };
}
