import { cborCodec, defineMethod, textCodec, voidCodec } from "@octopii/rpc";

/** What both sides agree on. */
export const list = defineMethod("artifacts.list", {
  request: voidCodec,
  response: cborCodec<{ name: string; bytes: number }[]>(),
});

/** Sends the artifact to the caller by the shipping lane; answers with its SHA-256 when it is there. */
export const deliver = defineMethod("artifacts.deliver", { request: textCodec, response: textCodec });
