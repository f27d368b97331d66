/** A tour of the log by itself. Takes the directory as its argument; run it again on the same one, and it goes on where it was. */
import { openWalrus } from "@octopii/walrus";

const directory = process.argv[2] ?? "data";
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
const texts = (entries: readonly { payload: Uint8Array }[]) => entries.map(({ payload }) => text(payload)).join(", ");

// Topics: one log, one flush for all that waits. What is acknowledged is on stable storage.
let log = await openWalrus({ directory });
const before = log.count("orders");
console.log(before === 0 ? "a new log" : `${before} orders from before`);
await Promise.all([
  log.append("orders", bytes("tea")),
  log.append("orders", bytes("coffee")),
  log.append("audit", bytes("two orders came in")),
]);

// A batch over topics: all of it or nothing, through a crash.
await log.appendBatch([
  { topic: "orders", append: ["cocoa", "milk", "water"].map(bytes) },
  { topic: "audit", append: [bytes("three more")] },
]);
console.log(`orders: ${log.count("orders")}, audit: ${log.count("audit")}`);

// Strictly at once, the default: the place is durable before the entries are given out, so none is given twice.
const billing = log.cursor("orders", "billing");
console.log(`peek: ${texts(await billing.peek({ maxEntries: 2 }))}`); // looks; the place stays
console.log(`billing: ${texts(await billing.consume({ maxEntries: 2 }))}`);

// At least once: the place is stored every so many entries; after a crash, what came since is given again.
const shipping = log.cursor("orders", "shipping", { mode: "at-least-once", persistEvery: 100 });
console.log(`shipping: ${texts(await shipping.consume({ maxEntries: 3 }))}`);
await shipping.checkpoint(); // or store it now

// Closed and opened again: entries and places are there.
await log.close();
log = await openWalrus({ directory });
console.log(`billing goes on: ${texts(await log.cursor("orders", "billing").consume())}`);
console.log(`shipping goes on: ${texts(await log.cursor("orders", "shipping").consume())}`);

// By index, backwards, and as an iterator.
const { first, next } = log.bounds("orders");
console.log(`the newest: ${texts(await log.readReverse("orders", next - 1, { maxEntries: 1 }))}`);
let bytesRead = 0;
for await (const { payload } of log.entries("orders", first)) bytesRead += payload.length;
console.log(`${next - first} orders, ${bytesRead} bytes`);

// Entries that nobody needs any more go, and their files with them.
await log.truncateFront("audit", log.bounds("audit").next);
console.log(`audit: ${log.count("audit")}, closed cleanly before: ${log.status().recovery.clean}`);
await log.close();
