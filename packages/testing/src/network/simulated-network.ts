import type { SeededRandom } from "../random/seeded-random.js";
import type { EventLoop } from "../world/event-loop.js";
import { eventKind } from "../world/simulated-event.js";
import { Link } from "./link.js";
import { type LinkConfig, type LinkOptions, resolveLinkOptions } from "./options.js";

/** A fault that is in force until it is healed. */
export interface NetworkFault {
  /** Ends this fault. Others on the same links stay. Repeating the call does nothing. */
  heal(): void;
}

/** Which directions an isolated host loses. */
export type Direction = "both" | "in" | "out";

interface Rule extends NetworkFault {
  readonly effect: "cuts" | "clogs";
  readonly applies: (from: string, to: string) => boolean;
}

/** A clogged link drops what comes after this many messages, as a full queue does. */
const MAX_HELD = 4096;

const ARRIVAL = eventKind("net:arrival");

/**
 * The network between the hosts of a world. Messages take time, get lost, come twice, overtake each other; partitions also cut what is
 * in flight. A host's messages to itself arrive always.
 */
export class SimulatedNetwork {
  /** Messages that were cut, lost and delivered since the world began. */
  readonly counts: { sent: number; delivered: number; lost: number; cut: number; duplicated: number } = {
    sent: 0,
    delivered: 0,
    lost: 0,
    cut: 0,
    duplicated: 0,
  };
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #links = new Map<string, Map<string, Link>>();
  readonly #rules = new Set<Rule>();
  #defaults: LinkConfig;

  /** Use `world.network`. */
  constructor(loop: EventLoop, random: SeededRandom, options: LinkOptions) {
    this.#loop = loop;
    this.#random = random;
    this.#defaults = resolveLinkOptions(options);
  }

  /** Changes all links, existing and to come, from now on. */
  configure(options: LinkOptions): void {
    this.#defaults = resolveLinkOptions(options, this.#defaults);
    for (const link of this.#allLinks()) link.config = resolveLinkOptions(options, link.config);
  }

  /** Changes one direction between two hosts. */
  configureLink(from: string, to: string, options: LinkOptions): void {
    const link = this.link(from, to);
    link.config = resolveLinkOptions(options, link.config);
  }

  /** Hosts in different groups no longer hear each other; hosts in no group notice nothing. */
  partition(...groups: readonly (readonly string[])[]): NetworkFault {
    const groupOf = new Map<string, number>();
    for (const [index, group] of groups.entries()) for (const host of group) groupOf.set(host, index);
    return this.#impose("cuts", `partition ${groups.map((group) => group.join(",")).join(" | ")}`, (from, to) => {
      const left = groupOf.get(from);
      const right = groupOf.get(to);
      return left !== undefined && right !== undefined && left !== right;
    });
  }

  /** Splits `hosts` in two by seed, the smaller part at least one host. */
  splitInHalves(hosts: readonly string[], random: SeededRandom): NetworkFault {
    const shuffled = random.shuffle([...hosts]);
    const middle = Math.floor(shuffled.length / 2);
    return this.partition(shuffled.slice(0, middle), shuffled.slice(middle));
  }

  /** Everybody hears the first of `hosts`, and the others only those who stand on the same side of it. */
  bridge(hosts: readonly string[]): NetworkFault {
    const [middle, ...others] = hosts;
    const left = new Set(others.slice(0, Math.ceil(others.length / 2)));
    return this.#imposeAmong(hosts, "bridge", (from, to) => from === middle || to === middle || left.has(from) === left.has(to));
  }

  /** Each of `hosts` hears only the one before it and the one after it. */
  chain(hosts: readonly string[]): NetworkFault {
    const place = new Map(hosts.map((host, index) => [host, index]));
    const isNext = (from: string, to: string): boolean => Math.abs((place.get(from) ?? 0) - (place.get(to) ?? 0)) === 1;
    return this.#imposeAmong(hosts, "chain", isNext);
  }

  /**
   * Each of `hosts`, as they stand in a circle, hears only so many neighbours that it sees a majority, itself included; and no two see the
   * same one. Source: Jepsen's majorities-ring.
   */
  majorityRing(hosts: readonly string[]): NetworkFault {
    const place = new Map(hosts.map((host, index) => [host, index]));
    const { length } = hosts;
    const reach = Math.ceil(Math.floor(length / 2) / 2);
    const isNear = (from: string, to: string): boolean => {
      const distance = Math.abs((place.get(from) ?? 0) - (place.get(to) ?? 0));
      return Math.min(distance, length - distance) <= reach;
    };
    return this.#imposeAmong(hosts, "majority ring", isNear);
  }

  /** Cuts a host off from all others. `in`: it is heard and hears nothing. `out`: it hears and is not heard. Default `both`. */
  isolate(host: string, direction: Direction = "both"): NetworkFault {
    return this.#impose("cuts", `isolate ${host} ${direction}`, (from, to) => {
      if (from === to) return false;
      return (direction !== "in" && from === host) || (direction !== "out" && to === host);
    });
  }

  /** Cuts one direction between two hosts. */
  cut(from: string, to: string): NetworkFault {
    return this.#impose("cuts", `cut ${from}>${to}`, (source, target) => source === from && target === to);
  }

  /** Holds all messages of one direction back, those in flight too, and delivers them once it is healed. */
  clog(from: string, to: string): NetworkFault {
    return this.#impose("clogs", `clog ${from}>${to}`, (source, target) => source === from && target === to);
  }

  /** Ends all partitions, isolations, cuts and clogs. Loss, delay and duplication stay as configured. */
  heal(): void {
    for (const rule of [...this.#rules]) rule.heal();
  }

  /** Whether a message from one host could reach the other now. */
  reachable(from: string, to: string): boolean {
    return this.link(from, to).cuts === 0;
  }

  /** The link from one host to another. */
  link(from: string, to: string): Link {
    let row = this.#links.get(from);
    if (row === undefined) {
      row = new Map<string, Link>();
      this.#links.set(from, row);
    }
    let link = row.get(to);
    if (link === undefined) {
      link = new Link(from, to, this.#defaults, this.#random.fork(`link/${from}>${to}`));
      for (const rule of this.#rules) if (rule.applies(from, to)) link[rule.effect] += 1;
      row.set(to, link);
    }
    return link;
  }

  /**
   * Sends one message. `arrive` runs when it arrives, twice if it was duplicated; `lost`, if there is one, when its fate is sealed.
   * @param bytes - its size: a link may lose what is too large for it. Draws the same numbers whatever the faults, so that each fault can be taken away alone.
   */
  transmit(link: Link, arrive: () => void, lost: (() => void) | null, bytes: number = 0): void {
    this.counts.sent += 1;
    const delayUs = link.drawDelayUs();
    const isLost = link.drawLoss() || bytes > link.config.maxPacketBytes;
    const isDuplicate = link.drawDuplicate();
    if (isLost && link.from !== link.to) {
      this.counts.lost += 1;
      this.#note("lost", link);
      lost?.();
      return;
    }
    this.#depart(link, delayUs, arrive, lost);
    if (!isDuplicate) return;
    this.counts.duplicated += 1;
    this.#depart(link, delayUs + link.drawExtraDelayUs(), arrive, null);
  }

  #depart(link: Link, delayUs: number, arrive: () => void, lost: (() => void) | null): void {
    if (link.cuts > 0) return this.#drop(link, lost);
    this.#loop.post(delayUs, link.arrivals, ARRIVAL, link.from, () => this.#land(link, arrive, lost));
  }

  #land(link: Link, arrive: () => void, lost: (() => void) | null): void {
    if (link.cuts > 0) return this.#drop(link, lost);
    if (link.clogs > 0) {
      if (link.held.length >= MAX_HELD) return this.#drop(link, lost);
      link.held.push(() => this.#depart(link, link.drawExtraDelayUs(), arrive, lost));
      return;
    }
    this.counts.delivered += 1;
    arrive();
  }

  #drop(link: Link, lost: (() => void) | null): void {
    this.counts.cut += 1;
    this.#note("cut", link);
    lost?.();
  }

  /** Lets only those of `hosts` hear each other for whom `hears` holds. Who is none of them notices nothing. */
  #imposeAmong(hosts: readonly string[], what: string, hears: (from: string, to: string) => boolean): NetworkFault {
    const among = new Set(hosts);
    return this.#impose("cuts", `${what} ${hosts.join(",")}`, (from, to) => {
      return from !== to && among.has(from) && among.has(to) && !hears(from, to);
    });
  }

  #impose(effect: Rule["effect"], description: string, applies: Rule["applies"]): NetworkFault {
    const rule: Rule = { effect, applies, heal: () => this.#lift(rule, description) };
    this.#rules.add(rule);
    for (const link of this.#allLinks()) if (applies(link.from, link.to)) link[effect] += 1;
    this.#loop.trace.note(this.#loop.now, "world", "net:fault", description);
    return rule;
  }

  #lift(rule: Rule, description: string): void {
    if (!this.#rules.delete(rule)) return;
    this.#loop.trace.note(this.#loop.now, "world", "net:heal", description);
    for (const link of this.#allLinks()) {
      if (!rule.applies(link.from, link.to)) continue;
      link[rule.effect] -= 1;
      if (link.clogs > 0) continue;
      const held = link.held;
      link.held = [];
      for (const release of held) release();
    }
  }

  *#allLinks(): IterableIterator<Link> {
    for (const row of this.#links.values()) yield* row.values();
  }

  #note(kind: string, link: Link): void {
    this.#loop.trace.note(this.#loop.now, link.to, `net:${kind}`, link.from);
  }
}
