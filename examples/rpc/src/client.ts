import { createRpc, isRpcError } from "@octopii/rpc";
import { address, dream, greet, transportOf, wave } from "./methods.js";

const transport = transportOf("client");
const client = createRpc().client(await transport.connect(address));

const { text, to } = await client.call(greet, { name: process.argv[2] ?? "Ada" });
console.log(`${text} (said to ${to})`);

// A hundred at once, on one stream, while one is stuck: it holds up nobody.
const stuck = client.call(dream, "of the sea", { timeoutMs: 300 });
const many = await Promise.all(Array.from({ length: 100 }, (_, i) => client.call(greet, { name: `guest ${i}` })));
console.log(`${many.length} answers`);

try {
  await stuck;
} catch (error) {
  // `unknown`: it may have run. `failed` would mean that it certainly did not.
  if (isRpcError(error)) console.log(`${error.status}, outcome ${error.outcome}`);
}
// Nobody answers a one-way message; but requests arrive in order, so once a later call is answered, it was there.
client.notify(wave, "see you");
await client.call(greet, { name: "" }).catch((error: unknown) => {
  if (isRpcError(error, "OCTOPII_RPC_INVALID_ARGUMENT")) console.log(error.message);
});

await client.close();
await transport.close();
