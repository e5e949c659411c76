import { expect, test } from "vitest";
import type { PriceRow } from "../../../cloud/web/src/api/types.ts";
import { priceAt, stepsOf } from "../../../cloud/web/src/lib/price_preview.ts";

const row = (change: Partial<PriceRow>): PriceRow => ({
  store_id: "1",
  scope: "store-1",
  from_at_ms: 0,
  from_local: null,
  to_at_ms: null,
  to_local: null,
  regular_minor: 100,
  member_minor: null,
  created_by: "hq",
  created_at_ms: 0,
  reason: "",
  published_rev: 1,
  ...change,
});

test("the newest published price that has begun is in force", () => {
  const [first, second] = [row({ from_at_ms: 10 }), row({ from_at_ms: 20, regular_minor: 90 })];
  const later = row({ from_at_ms: 99 });
  const draft = row({ from_at_ms: 25, published_rev: null });
  expect(priceAt([later, draft, second, first], 30)).toBe(second);
  expect(priceAt([later, draft, second, first], 15)).toBe(first);
  expect(priceAt([later, draft], 30)).toBeNull();
});

test("each store's step starts from its own price", () => {
  const store = (id: string) => ({ store_id: id, name: id, time_zone: "UTC", currency: "USD" });
  const rows = [row({ store_id: "1", regular_minor: 1 }), row({ store_id: "2", regular_minor: 2 })];
  const steps = stepsOf(rows, [store("1"), store("2"), store("3")], 5);
  expect(steps.map((step) => step.old?.regular_minor ?? null)).toEqual([1, 2, null]);
});

test("the store's own price counts before its zone's, and that before the chain's", () => {
  const chain = row({ store_id: "", scope: "" });
  const zone = row({ store_id: "", scope: "zone:city", from_at_ms: 10, to_at_ms: 40 });
  const own = row({ scope: "store-1", from_at_ms: 20 });
  const ended = row({ scope: "store-1", from_at_ms: 30, regular_minor: null });
  const rows = [ended, own, zone, chain];
  expect([5, 15, 25, 35, 45].map((at) => priceAt(rows, at))).toEqual([chain, zone, own, zone, chain]);
  const store = (id: string) => ({ store_id: id, name: id, time_zone: "UTC", currency: "USD" });
  const steps = stepsOf([zone, chain], [store("1"), store("2")], 15, { "1": "city" });
  expect(steps.map((step) => step.old)).toEqual([zone, chain]);
});
