import { createAuthority, issueNodeCertificate } from "@octopii/certificates";
import { createManualTime } from "@octopii/testing";
import { expect, it } from "vitest";
import { ExpiryWatch } from "../src/adapters/expiry-watch.js";
import { createRuntime } from "../src/index.js";

const dayMs = 24 * 60 * 60 * 1000;
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

it("watches a node's certificate as a task: warns twice a day, follows a replacement, and ends with its group", async () => {
  const startWallTime = Date.now();
  const time = createManualTime({ startWallTime });
  const warnings: string[] = [];
  const nothing = (): void => undefined;
  const logger = { trace: nothing, debug: nothing, info: nothing, error: nothing, warn: (_: unknown, text: string) => warnings.push(text) };
  const runtime = createRuntime({}, time);
  const tasks = runtime.group("node 1");
  const authority = await createAuthority({ cluster: "reef" });
  const issue = async (validityDays: number) => {
    const issued = await issueNodeCertificate(authority, { cluster: "reef", nodeId: 1, name: "one", validityDays });
    return { ...issued, authorities: authority.certificate };
  };
  const watch = new ExpiryWatch(await issue(1), { clock: time.clock, logger, background: { tasks } });
  await settle();
  expect(runtime.tasks()).toEqual([{ group: "node 1", name: "certificate watch", status: "running" }]);
  expect(warnings).toHaveLength(1);
  time.advance(dayMs / 2);
  await settle();
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toMatch(/octopii certs rotate/);
  watch.replace(await issue(900));
  await settle();
  time.advance(dayMs);
  await settle();
  expect(warnings).toHaveLength(2);
  expect(runtime.tasks()).toHaveLength(1);
  await tasks.close();
  expect(runtime.stats()).toMatchObject({ tasks: 0, timers: 0 });
});
