import { Rejection, type StateMachine } from "@octopii/core";

/** Sells numbered seats: whoever asks gets the next one, and nobody gets two. This is all that is replicated. */
export function ticketOffice(seats: number): StateMachine {
  let buyers: string[] = [];
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  return {
    apply(command) {
      const buyer = new TextDecoder().decode(command);
      if (buyers.includes(buyer)) throw new Rejection(`${buyer} has seat ${buyers.indexOf(buyer) + 1} already.`);
      if (buyers.length === seats) throw new Rejection(`Sold out: ${buyer} gets no seat.`);
      return encode(buyers.push(buyer));
    },
    query: () => encode(buyers),
    snapshot: () => [encode(buyers)],
    async restore(chunks) {
      let text = "";
      for await (const chunk of chunks) text += Buffer.from(chunk).toString("latin1");
      buyers = JSON.parse(Buffer.from(text, "latin1").toString()) as string[];
    },
  };
}
