import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { calmly, settled } from "../../../cloud/web/src/lib/calm.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

test("calm work runs at once, then at most once per span, and once more for what came late", () => {
  let ran = 0;
  const work = calmly(1000, () => (ran += 1));
  work.now();
  vi.advanceTimersByTime(1);
  expect(ran).toBe(1);
  for (let n = 0; n < 50; n += 1) work.now();
  vi.advanceTimersByTime(900);
  expect(ran).toBe(1);
  vi.advanceTimersByTime(200);
  expect(ran).toBe(2);
});

test("settled work waits for silence, and stopped work never runs", () => {
  let ran = 0;
  const work = settled(250, () => (ran += 1));
  for (let n = 0; n < 5; n += 1) {
    work.now();
    vi.advanceTimersByTime(200);
  }
  expect(ran).toBe(0);
  vi.advanceTimersByTime(60);
  expect(ran).toBe(1);
  work.now();
  work.stop();
  vi.advanceTimersByTime(1000);
  expect(ran).toBe(1);
});
