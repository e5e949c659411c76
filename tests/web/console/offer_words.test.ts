import { describe, expect, it } from "vitest";
import { goodsWords, offerName, offerWords, windowWords, type Speech } from "../../../cloud/web/src/lib/offer_words.ts";
import { findText, type Language } from "../../../shared/web/i18n.ts";
import english from "../../../shared/i18n/en.json";
import chinese from "../../../shared/i18n/zh-CN.json";

const CATALOGUES: Readonly<Record<string, Record<string, string>>> = { en: english, "zh-CN": chinese };

function speech(language: Language): Speech {
  return {
    language,
    t: (key, params) => findText(CATALOGUES[language] ?? {}, language, key, params) ?? key,
    money: (minor) => `¥${minor / 100}`,
  };
}

const ALL = { all: true };
const of = (reward: object, when: object[] = []): Record<string, unknown> => ({ id: "a", level: "line", target: ALL, reward, when });

describe("what an offer gives", () => {
  it.each([
    [{ type: "percent_off", bp: 1500 }, "8.5 折", "15 % off"],
    [{ type: "amount_off", amount: 2000 }, "减 ¥20", "¥20 off"],
    [{ type: "price_each", amount: 990 }, "每件 ¥9.9", "¥9.9 each"],
    [{ type: "set_price", size: 3, amount: 1000 }, "任选 3 件 ¥10", "any 3 for ¥10"],
    [{ type: "nth_unit", n: 2, bp: 5000 }, "第 2 件 5 折", "every 2. piece 50 % off"],
    [
      { type: "buy_get", buy: { select: ALL, qty: 2 }, get: { select: ALL }, bp: 10_000 },
      "买 2 得 1（免费）",
      "buy 2, get 1 free",
    ],
    [
      { type: "tiers", by: "spend", steps: [{ at: 10_000, amount: 1000 }, { at: 20_000, bp: 2000 }] },
      "满 ¥100 减 ¥10，满 ¥200 8 折",
      "from ¥100 ¥10 off, from ¥200 20 % off",
    ],
    [{ type: "every", spend: 10_000, amount: 1000 }, "每满 ¥100 减 ¥10", "¥10 off per ¥100"],
    [{ type: "bundle_price", amount: 1990, slots: [{ select: ALL, qty: 2 }, { select: ALL }] }, "3 件套餐 ¥19.9", "bundle of 3 for ¥19.9"],
    [{ type: "gift", max_units: 2 }, "送赠品 2 件", "gift of 2"],
    [{ type: "of a later version" }, "of a later version", "of a later version"],
  ])("%o", (reward, zh, en) => {
    expect(offerWords(of(reward), speech("zh-CN"))).toBe(zh);
    expect(offerWords(of(reward), speech("en"))).toBe(en);
  });

  it("says the conditions first", () => {
    const when = [
      { type: "min_spend", scope: ALL, amount: 10_000 },
      { type: "min_qty", scope: ALL, qty: "1.5", uom: "kg" },
      { type: "member", tiers: ["gold"] },
    ];
    expect(offerWords(of({ type: "amount_off", amount: 2000 }, when), speech("zh-CN"))).toBe(
      "满 ¥100，满 1.5 kg，会员 gold，减 ¥20",
    );
  });
});

describe("the rest of a row", () => {
  it("names an offer in the reader's language, in another one, or by its id", () => {
    expect(offerName({ id: "a", name: { en: "Summer", "zh-CN": "夏日" } }, "en")).toBe("Summer");
    expect(offerName({ id: "a", name: { "zh-CN": "夏日" } }, "en")).toBe("夏日");
    expect(offerName({ id: "a", name: "夏" }, "en")).toBe("夏");
    expect(offerName({ id: "a" }, "en")).toBe("a");
  });

  it("tells which goods it takes", () => {
    const words = (target: object): string => goodsWords({ target }, speech("en"));
    expect(words(ALL)).toBe("all goods");
    expect(words({ category: ["MILK"], tag: ["new"], sku: ["1", "2"] })).toBe("MILK · new · 2 items");
    expect(words({ unit_price_min: 500 })).toBe("some goods");
  });

  it("tells when it is open, or nothing when it always is", () => {
    const words = (valid: object): string[] => windowWords({ valid }, speech("en"));
    expect(words({})).toEqual([]);
    expect(words({ from: "2026-11-01T00:00:00", to: "2026-11-12T08:30:00" })).toEqual(["2026-11-01 – 2026-11-12 08:30"]);
    expect(words({ from: "2026-11-01T00:00:00Z" })).toEqual(["2026-11-01 00:00 UTC –"]);
    expect(words({ weekdays: [6, 7], daily: [["22:00", "02:00:30"]] })).toEqual(["Sat Sun", "22:00–02:00:30"]);
    expect(words({ dates: ["2026-01-01", "2026-01-02", "2026-01-03"] })).toEqual(["2026-01-01 and so on, 3 days"]);
  });
});
