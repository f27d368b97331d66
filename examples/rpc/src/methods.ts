/** What both programs agree on. */
import { readFileSync } from "node:fs";
import { identifyForCluster } from "@octopii/certificates";
import { cborCodec, defineMethod, defineOneWay, textCodec } from "@octopii/rpc";
import { createTcpTransport } from "@octopii/transport-tcp";

export const address = `127.0.0.1:${process.env.PORT ?? 7400}`;

export const greet = defineMethod("greeter.greet", {
  request: cborCodec<{ name: string }>(),
  response: cborCodec<{ text: string; to: string }>(),
});
export const dream = defineMethod("greeter.dream", { request: textCodec, response: textCodec });
export const wave = defineOneWay("greeter.wave", textCodec);

/** A transport that shows `who`'s certificate, and believes those that our authority has signed. */
export function transportOf(who: "server" | "client") {
  const pem = (name: string) => readFileSync(`certificates/${name}.pem`, "utf8");
  const credentials = { certificate: pem(who), privateKey: pem(`${who}-key`), authorities: pem("authority") };
  return createTcpTransport({ credentials, identify: identifyForCluster({ cluster: "greetings" }) });
}
