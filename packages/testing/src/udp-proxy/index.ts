/**
 * A bad network between real sockets: a proxy that loses, delays, reorders, doubles, corrupts and cuts off what passes through it, by a seed.
 *
 * @packageDocumentation
 */
export { openUdpProxy, type UdpProxy, type UdpProxyStats } from "./adapters/udp-proxy.js";
export { type UdpFaults, type UdpProxyOptions, udpFaultDefaults } from "./options.js";
