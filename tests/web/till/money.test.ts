import { expect, test } from "vitest";
import {
  decimalText,
  formatMilli,
  formatMinor,
  formatNote,
  formatWeight,
  parseMilli,
  parseMinor,
  typedMinor,
} from "../../../shared/web/money.ts";

const CNY = { code: "CNY", digits: 2 };
const USD = { code: "USD", digits: 2 };
const TWD = { code: "TWD", digits: 0 };

test("an integer gets its decimal point without arithmetic", () => {
  expect(decimalText(1250, 2)).toBe("12.50");
  expect(decimalText(5, 2)).toBe("0.05");
  expect(decimalText(-5, 3)).toBe("-0.005");
  expect(decimalText(700, 0)).toBe("700");
  expect(() => decimalText(12.5, 2)).toThrow(RangeError);
});

test.each([
  [7480, CNY, "zh-CN", "¥74.80"],
  [7480, CNY, "en", "¥74.80"],
  [-160, CNY, "zh-CN", "−¥1.60"],
  [99_999_999, USD, "en", "$999,999.99"],
  [9_007_199_254_740_991, USD, "en", "$90,071,992,547,409.91"],
  [700, TWD, "zh-TW", "$700"],
])("%i of %o in %s is %s", (minor, currency, language, shown) => {
  expect(formatMinor(minor, currency, language)).toBe(shown);
});

test("a whole note loses its decimals, an odd amount keeps them", () => {
  expect(formatNote(15_000, CNY, "zh-CN")).toBe("¥150");
  expect(formatNote(16_068, CNY, "zh-CN")).toBe("¥160.68");
  expect(formatNote(0, CNY, "zh-CN")).toBe("¥0");
});

test("thousandths lose needless noughts", () => {
  expect([2000, 1250, 1, 0].map((milli) => formatMilli(milli, "en"))).toEqual([
    "2",
    "1.25",
    "0.001",
    "0",
  ]);
});

test("a keypad fills an amount from the right and never passes its limit", () => {
  const typed = ["1", "2", "00", "back", "5"].reduce((amount, key) => typedMinor(amount, key), 0);
  expect(typed).toBe(1205);
  expect(typedMinor(1205, "clear")).toBe(0);
  expect(typedMinor(0, "back")).toBe(0);
  expect(typedMinor(99_999_999, "9")).toBe(99_999_999);
});

test.each([
  ["12.5", 1250],
  ["12,50", 1250],
  ["￥1,234.00", 123_400],
  ["１２．５", 1250],
  ["7", 700],
  ["0", 0],
  ["", null],
  ["-3", null],
  ["1.234", null],
  ["12.5.0", null],
  ["abc", null],
])("typed %j is %j minor units", (text, minor) => {
  expect(parseMinor(text, CNY)).toBe(minor);
});

test("a currency without decimals takes none", () => {
  expect(parseMinor("700", TWD)).toBe(700);
  expect(parseMinor("7.5", TWD)).toBeNull();
});

test.each([
  ["0.035", 35],
  ["0,035", 35],
  [".5", 500],
  ["１２", 12_000],
  ["1.2", 1200],
  ["1 .5", 1500],
  ["", null],
  [".", null],
  ["1.2345", null],
  ["1,234.5", null],
  ["-1", null],
])("typed %j is %j thousandths", (text, milli) => {
  expect(parseMilli(text)).toBe(milli);
});

test("a weight keeps the decimals of the scale", () => {
  expect(formatWeight(500, "kg", "en")).toBe("0.500\u00a0kg");
  expect(formatWeight(1235, "lb", "zh-CN")).toBe("1.235\u00a0lb");
});
