/** What library code must not touch (RULE 2 of the design: sans-I/O), each with what stands in for it. */

/** Something that code outside the adapters may not use. */
export interface Ban {
  /** Its short name, as in a failure and in an {@link Exception}. */
  readonly id: string;
  /** What to use instead. */
  readonly instead: string;
  /** Global names that may not be read at all. */
  readonly globals?: readonly string[];
  /** Members of globals, `Math.random`; an object that is used in any other way than by such a member is refused too. */
  readonly members?: Readonly<Record<string, MemberRule>>;
  /** Modules that may not be imported at all, without their `node:`. */
  readonly modules?: readonly string[];
  /** Modules of which only some names may be imported, one by one. */
  readonly names?: Readonly<Record<string, MemberRule>>;
}

/** Which members of an object or module are refused: those that are listed, or all but those. */
export type MemberRule = { readonly refused: readonly string[] } | { readonly allowed: RegExp };

/** A package that needs what is banned, and why. */
export interface Exception {
  readonly packageFolder: string;
  readonly ban: string;
  readonly reason: string;
}

/** Every ban. scripts/test/tidy.test.ts seeds a violation of each. */
export const bans: readonly Ban[] = [
  { id: "date", instead: "Clock.wallTime() of @octopii/interfaces", globals: ["Date"] },
  { id: "intl", instead: "Clock.wallTime(), and numbers: a format without an argument tells the time", globals: ["Intl"] },
  { id: "performance", instead: "Clock.now() of @octopii/interfaces", globals: ["performance"], modules: ["perf_hooks"] },
  { id: "math-random", instead: "Random.uint32() of @octopii/interfaces", members: { Math: { refused: ["random"] } } },
  {
    id: "timers",
    instead: "Scheduler.setTimer() of @octopii/interfaces",
    globals: ["setTimeout", "setInterval"],
    modules: ["timers", "timers/promises"],
  },
  {
    id: "event-loop",
    instead: "Scheduler.nextTurn() of @octopii/interfaces",
    globals: ["setImmediate", "queueMicrotask", "MessageChannel", "BroadcastChannel"],
  },
  {
    id: "abort-timeout",
    instead: "an AbortController that Scheduler.setTimer() aborts",
    members: { AbortSignal: { refused: ["timeout"] } },
  },
  {
    id: "process",
    instead: "an option or a port: Scheduler.nextTurn(), Clock.now(), Logger; only the CLI reads the environment",
    members: { process: { allowed: /^(arch|platform|version|versions)$/ } },
    modules: ["process"],
  },
  {
    id: "global-object",
    instead: "the global's own name, so that the other bans can see it",
    globals: ["globalThis", "global", "self"],
  },
  {
    id: "crypto-random",
    instead: "Random.bytes() of @octopii/interfaces",
    names: {
      crypto: {
        refused: [
          ...["randomBytes", "randomFill", "randomFillSync", "randomInt", "randomUUID", "randomUUIDv7", "getRandomValues"],
          ...["generateKey", "generateKeySync", "generateKeyPair", "generateKeyPairSync", "generatePrime", "generatePrimeSync"],
          ...["createECDH", "createDiffieHellman", "createDiffieHellmanGroup", "getDiffieHellman", "Certificate"],
        ],
      },
    },
  },
  {
    id: "crypto-asynchronous",
    instead: "the synchronous form (scryptSync, pbkdf2Sync, hkdfSync), or a port for what must leave the thread",
    names: { crypto: { refused: ["scrypt", "pbkdf2", "hkdf", "checkPrime", "argon2"] } },
  },
  {
    id: "webcrypto",
    instead: "node:crypto's synchronous hashes and the Random port",
    globals: ["crypto", "Crypto", "SubtleCrypto", "CryptoKey"],
    names: { crypto: { refused: ["webcrypto", "subtle"] } },
  },
  {
    id: "zlib",
    instead: "the synchronous form (deflateRawSync), or the Compressor port for what must leave the thread",
    globals: ["CompressionStream", "DecompressionStream"],
    names: { zlib: { allowed: /^(\w+Sync|constants|crc32)$/ } },
  },
  { id: "files", instead: "the FileSystem port of @octopii/interfaces", modules: ["fs", "fs/promises", "sqlite"] },
  {
    id: "network",
    instead: "the Transport port of @octopii/interfaces",
    globals: ["fetch", "WebSocket", "EventSource"],
    modules: ["dgram", "net", "tls", "http", "https", "http2", "dns", "dns/promises"],
  },
  {
    id: "console",
    instead: "the Logger port of @octopii/interfaces",
    globals: ["console"],
    modules: ["console", "tty", "readline", "repl"],
  },
  {
    id: "machine",
    instead: "an option, or an adapter",
    modules: ["child_process", "cluster", "inspector", "module", "os", "v8", "vm", "wasi", "worker_threads"],
  },
  {
    id: "garbage-collector",
    instead: "an explicit close(): when memory is collected differs from run to run",
    globals: ["WeakRef", "FinalizationRegistry"],
  },
  {
    id: "blocking",
    instead: "Scheduler and promises",
    members: { Atomics: { refused: ["wait", "waitAsync"] } },
  },
  { id: "require", instead: "import", globals: ["require"] },
];

/** Who may use what is banned. A folder `adapters/` needs no entry: crossing over is what it is for. */
export const exceptions: readonly Exception[] = [
  { packageFolder: "certificates", ban: "webcrypto", reason: "@peculiar/x509 signs and checks through Web Crypto, and by nothing else" },
  {
    packageFolder: "certificates",
    ban: "date",
    reason: "@peculiar/x509 takes and gives validity as Date objects; the clock itself is a port",
  },
];

/** Packages that are all adapter, or a program rather than a library. */
export const outsideTheBan: Readonly<Record<string, string>> = {
  system: "it implements the ports on Node.js",
  cli: "it is a program: it reads the environment, prints, and starts processes",
};
