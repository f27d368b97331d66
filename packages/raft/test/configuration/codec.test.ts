import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  applyConfigurationChange,
  type Configuration,
  type ConfigurationChange,
  changeContextBytesMax,
  decodeConfiguration,
  decodeConfigurationChange,
  encodeConfiguration,
  encodeConfigurationChange,
  type MemberChange,
  type Transition,
} from "../../src/configuration/index.js";
import { anySteps, configurationOf, grow, steps } from "./generators.js";

// The same cases in every run.
fc.configureGlobal({ seed: 4 });

const transition = fc.constantFrom<Transition>("auto", "implicit", "explicit");

const memberChange: fc.Arbitrary<MemberChange> = fc
  .record({
    type: fc.constantFrom<MemberChange["type"]>("addVoter", "addLearner", "removeNode", "updateNode"),
    nodeId: fc.oneof(fc.nat(9), fc.maxSafeNat()),
    context: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
  })
  .map(({ context, ...rest }) => (context === undefined ? rest : { ...rest, context }));
const changeArbitrary: fc.Arbitrary<ConfigurationChange> = fc.record({ transition, changes: fc.array(memberChange, { maxLength: 8 }) });

/** Configurations that changes lead to, joint ones among them. */
const configurationArbitrary: fc.Arbitrary<Configuration> = fc
  .array(fc.record({ transition, changes: anySteps }), { maxLength: 4 })
  .map((history) =>
    history.reduce((membership, change) => {
      const outcome = applyConfigurationChange(membership, 1, change);
      return outcome.accepted ? outcome.membership : membership;
    }, grow("v1 v2 v3")),
  )
  .map(({ configuration }) => configuration);

describe("round trips", () => {
  it("of configurations", () => {
    fc.assert(
      fc.property(configurationArbitrary, (configuration) => {
        expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual({ accepted: true, value: configuration });
      }),
      { numRuns: 1_000 },
    );
  });

  it("of changes, from the middle of a larger buffer too", () => {
    fc.assert(
      fc.property(changeArbitrary, fc.nat(9), (change, offset) => {
        const bytes = encodeConfigurationChange(change);
        const around = new Uint8Array(bytes.length + offset + 3).fill(0xee);
        around.set(bytes, offset);
        expect(decodeConfigurationChange(around.subarray(offset, offset + bytes.length))).toEqual({ accepted: true, value: change });
      }),
      { numRuns: 1_000 },
    );
  });

  it("keep ids at the edge of the safe integers", () => {
    const configuration = configurationOf({ voters: [1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER] });
    expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual({ accepted: true, value: configuration });
  });
});

describe("the layout", () => {
  it("of a configuration stays as it is", () => {
    const configuration = configurationOf({ voters: [1, 258], votersOutgoing: [3], learners: [4], learnersNext: [3], autoLeave: true });
    const id = (low: number, high = 0): number[] => [low, high, 0, 0, 0, 0, 0, 0];
    const expected = [1, 1, 2, 0, 1, 0, 1, 0, 1, 0, ...id(1), ...id(2, 1), ...id(3), ...id(4), ...id(3)];
    expect([...encodeConfiguration(configuration)]).toEqual(expected);
  });

  it("of a change stays as it is", () => {
    const changes: MemberChange[] = [...steps("l2 r3 u4"), { type: "addVoter", nodeId: 5, context: Uint8Array.of(7, 8) }];
    const step = (nodeId: number, type: number, ...context: number[]): number[] => [
      nodeId,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      type,
      context.length > 0 ? 1 : 0,
      context.length,
      0,
      ...context,
    ];
    const expected = [1, 2, 4, 0, ...step(2, 2), ...step(3, 3), ...step(4, 4), ...step(5, 1, 7, 8)];
    expect([...encodeConfigurationChange({ transition: "explicit", changes })]).toEqual(expected);
  });
});

describe("bytes that are no such record", () => {
  const configuration = encodeConfiguration(configurationOf({ voters: [1, 2], votersOutgoing: [2, 3], learnersNext: [3] }));
  const change = encodeConfigurationChange({
    transition: "auto",
    changes: [...steps("v1"), { type: "addVoter", nodeId: 2, context: Uint8Array.of(1, 2, 3) }],
  });

  it("are refused when cut off or too long, at every length", () => {
    for (const [bytes, decode] of [[configuration, decodeConfiguration] as const, [change, decodeConfigurationChange] as const]) {
      for (let length = 0; length < bytes.length; length++) {
        expect(decode(bytes.subarray(0, length))).toMatchObject({ accepted: false, refusal: { code: "malformed" } });
      }
      expect(decode(Uint8Array.of(...bytes, 0))).toMatchObject({ accepted: false, refusal: { code: "malformed" } });
    }
  });

  it("are refused in an unknown version, with a sentence", () => {
    for (const [bytes, decode] of [[configuration, decodeConfiguration] as const, [change, decodeConfigurationChange] as const]) {
      expect(decode(bytes.with(0, 2))).toMatchObject({
        refusal: { code: "unknownVersion", message: expect.stringMatching(/version 2.*upgrade/) },
      });
    }
  });

  it("are refused when a field has no meaning", () => {
    const stepAt = 4;
    for (const [at, value] of [
      [1, 3],
      [stepAt + 7, 0x20],
      [stepAt + 8, 0],
      [stepAt + 8, 5],
      [stepAt + 9, 2],
      [stepAt + 10, 1],
    ] as const) {
      expect(decodeConfigurationChange(change.with(at, value))).toMatchObject({ accepted: false, refusal: { code: "malformed" } });
    }
    expect(decodeConfiguration(configuration.with(1, 2))).toMatchObject({ refusal: { code: "malformed" } });
    expect(decodeConfiguration(configuration.with(10 + 7, 0x20))).toMatchObject({ refusal: { code: "invalidNodeId" } });
    expect(decodeConfiguration(configuration.with(10, 2))).toMatchObject({ refusal: { code: "inconsistent" } });
    expect(decodeConfiguration(configuration.with(1, 1))).toMatchObject({ accepted: true, value: { autoLeave: true } });
  });

  it("are refused by their declared lengths before anything is read", () => {
    expect(decodeConfiguration(configuration.with(3, 0xff))).toMatchObject({
      refusal: { message: expect.stringMatching(/longer than 1024/) },
    });
    expect(decodeConfigurationChange(change.with(3, 0xff))).toMatchObject({
      refusal: { message: expect.stringMatching(/more than 2048/) },
    });
    const long = new Uint8Array(16 + changeContextBytesMax + 1);
    long.set(encodeConfigurationChange({ transition: "auto", changes: [{ type: "addVoter", nodeId: 1, context: Uint8Array.of(0) }] }));
    new DataView(long.buffer).setUint16(14, changeContextBytesMax + 1, true);
    expect(decodeConfigurationChange(long)).toMatchObject({ refusal: { message: expect.stringMatching(/4097 bytes/) } });
  });

  it("never make a decoder throw, and whatever is accepted encodes to the same bytes", () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(fc.constantFrom(configuration, change), fc.nat(60), fc.nat(255))
        .map(([bytes, at, value]) => bytes.with(at % bytes.length, value)),
    );
    fc.assert(
      fc.property(anyBytes, fc.constantFrom("configuration", "change"), (bytes, kind) => {
        if (kind === "configuration") {
          const outcome = decodeConfiguration(bytes);
          if (outcome.accepted) expect(encodeConfiguration(outcome.value)).toEqual(bytes);
        } else {
          const outcome = decodeConfigurationChange(bytes);
          if (outcome.accepted) expect(encodeConfigurationChange(outcome.value)).toEqual(bytes);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("what cannot be encoded", () => {
  it("throws, naming what is wrong", () => {
    expect(() => encodeConfiguration(configurationOf({ voters: [2, 1] }))).toThrow(/ascending/);
    expect(() => encodeConfigurationChange({ transition: "auto", changes: steps("v-1") })).toThrow(/no node id/);
  });
});
