import { beforeAll } from "vitest";
import { quicTransportDefaults } from "../src/index.js";
import { testStreams } from "./stream-behaviour.js";
import { type Cluster, connectPair, createCluster } from "./support.js";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await createCluster();
});

testStreams(
  "QUIC",
  async () => {
    const pair = await connectPair(cluster);
    return { ...pair, errors: pair.logger.errors };
  },
  {
    sendBufferBytes: quicTransportDefaults.sendBufferBytes,
    windowBytes: quicTransportDefaults.streamWindowBytes,
  },
);

const small = {
  maxIncomingStreams: 5,
  sendBufferBytes: 4_096,
  streamWindowBytes: 16_384,
  connectionWindowBytes: 65_536,
  udpPayloadBytes: 1_200,
} as const;

testStreams(
  "QUIC with little room",
  async () => {
    const pair = await connectPair(cluster, { options: small });
    return { ...pair, errors: pair.logger.errors };
  },
  { sendBufferBytes: small.sendBufferBytes, windowBytes: small.streamWindowBytes },
);

const other = { congestionControl: "reno", udpPayloadBytes: 16_383 } as const;

testStreams(
  "QUIC with large datagrams over IPv6",
  async () => {
    const pair = await connectPair(cluster, { options: other, address: "[::1]:0" });
    return { ...pair, errors: pair.logger.errors };
  },
  { sendBufferBytes: quicTransportDefaults.sendBufferBytes, windowBytes: quicTransportDefaults.streamWindowBytes },
);
