import { expect, test } from "vitest";
import { stepsOf } from "../../../cloud/web/src/lib/progress.ts";

const PROGRESS = { total: 100, brought: 40, stored: 30, active: 20, shown: 12, failed: 3, silent: 1 };

const valueOf = (state: string): number | undefined =>
  stepsOf(PROGRESS, "waiting").find((step) => step.state === state)?.value;

test("each store of a release is counted once, at the farthest level that it reached", () => {
  expect(valueOf("shown")).toBe(12);
  expect(valueOf("active")).toBe(8);
  expect(valueOf("stored")).toBe(10);
  expect(valueOf("brought")).toBe(6);
  expect(valueOf("failed")).toBe(3);
  expect(valueOf("waiting")).toBe(60);
  expect(stepsOf(PROGRESS, "waiting").reduce((sum, step) => sum + step.value, 0)).toBe(100);
});

test("a store that got worse after it was counted never makes a part negative", () => {
  const odd = { ...PROGRESS, shown: 21, failed: 30 };
  expect(stepsOf(odd, "waiting").every((step) => step.value >= 0)).toBe(true);
});

test("stores without a release that is taken back do not wait for it", () => {
  expect(stepsOf(PROGRESS, "without").at(-1)).toEqual({ state: "without", value: 60, tone: "quiet" });
});
