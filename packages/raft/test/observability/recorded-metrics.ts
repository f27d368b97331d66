import type { Counter, Gauge, Histogram, MetricLabels, Metrics } from "@octopii/interfaces";

/** Instruments that remember. */
export class RecordedMetrics implements Metrics {
  /** By name and labels, `name{a="1",b="2"}`: a counter's sum, a gauge's value, how often a histogram was given one. */
  readonly values = new Map<string, number>();
  readonly kinds = new Map<string, string>();

  counter(name: string, labels: MetricLabels = {}): Counter {
    const key = this.#register("counter", name, labels);
    return {
      add: (amount) => {
        if (!(amount >= 0)) throw new Error(`${key} is told to go down by ${amount}`);
        this.values.set(key, this.of(key) + amount);
      },
    };
  }

  gauge(name: string, labels: MetricLabels = {}): Gauge {
    const key = this.#register("gauge", name, labels);
    return { set: (value) => void this.values.set(key, value) };
  }

  histogram(name: string, labels: MetricLabels = {}): Histogram {
    const key = this.#register("histogram", name, labels);
    return { record: () => void this.values.set(key, this.of(key) + 1) };
  }

  of(key: string): number {
    return this.values.get(key) ?? 0;
  }

  #register(kind: string, name: string, labels: MetricLabels): string {
    const inside = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const key = `${name}{${inside.sort().join(",")}}`;
    if (this.kinds.has(key)) throw new Error(`${key} is made twice`);
    this.kinds.set(key, kind);
    return key;
  }
}
