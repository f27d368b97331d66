import { createRpc, RpcError } from "@octopii/rpc";
import { address, dream, greet, transportOf, wave } from "./methods.js";

const transport = transportOf("server");
const rpc = createRpc();

rpc.router.handle(greet, ({ name }, { peer }) => {
  if (name === "") throw new RpcError("INVALID_ARGUMENT", "A name is needed.", { outcome: "failed" });
  // Who calls, says the certificate; nobody can claim to be somebody else.
  return { text: `Hello, ${name}!`, to: peer.name };
});
// Never answers, but lets go when its caller does.
rpc.router.handle(
  dream,
  (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
);
rpc.router.onOneWay(wave, (message, { peer }) => console.log(`${peer.name} waves: ${message}`));

const listener = await transport.listen({ address, onConnection: (connection) => rpc.serve(connection) });
console.log(`greeting on ${listener.address}`);

async function leave(): Promise<void> {
  await listener.close(); // nobody new
  await rpc.close(); // those who are here get their answers
  await transport.close();
}
process.once("SIGINT", () => void leave());
