import { expect, test } from "vitest";
import type { ConvergenceRow } from "../../../cloud/web/src/api/types.ts";
import { hasArrived, stateOf } from "../../../cloud/web/src/lib/arrival.ts";

const row = (state: string, because: string | null): ConvergenceRow => ({
  store_id: "1",
  name: "One",
  target_rev: 2,
  stored_rev: 2,
  active_rev: 2,
  shown_rev: 1,
  state,
  because,
  stored_at_ms: 1,
  active_at_ms: 1,
  shown_at_ms: null,
  announced_at_ms: 0,
  held_until_ms: null,
  last_contact_at_ms: 1,
  dev: null,
  cells: {},
});

test("a store has arrived only once a till has shown what its box sells with", () => {
  expect(stateOf(row("current", "till_not_shown"))).toBe("not_shown");
  expect(hasArrived(row("current", "till_not_shown"))).toBe(false);
  expect(hasArrived(row("current", null))).toBe(true);
  expect(hasArrived(row("current", "nothing_published"))).toBe(true);
});

test("other states stand as the cloud gives them", () => {
  expect(stateOf(row("staged", "not_activated"))).toBe("staged");
  expect(hasArrived(row("silent", "no_contact"))).toBe(false);
});
