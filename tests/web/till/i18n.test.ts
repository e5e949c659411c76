import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ageText, dateText, findText, instantText, preferredLanguage } from "../../../shared/web/i18n.ts";

const ROOT = join(import.meta.dirname, "../../..");

function catalogue(language: string): Record<string, string> {
  return JSON.parse(readFileSync(join(ROOT, `shared/i18n/${language}.json`), "utf8"));
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(svelte|ts)$/.test(name) && !name.includes(".gen."))
    .map((name) => readFileSync(join(ROOT, folder, name), "utf8"));
}

test("a text takes its parameters and its plural form", () => {
  const texts = { hello: "{name}: {name}, {other}", n_one: "{count} item", n_other: "{count} items" };
  expect(findText(texts, "en", "hello", { name: "a" })).toBe("a: a, {other}");
  expect(findText(texts, "en", "n", { count: 1 })).toBe("1 item");
  expect(findText(texts, "en", "n", { count: 2 })).toBe("2 items");
  expect(findText(texts, "zh-CN", "n", { count: 1 })).toBe("1 items");
  expect(findText(texts, "en", "absent")).toBeNull();
});

test("a browser's languages choose ours", () => {
  expect(preferredLanguage(["fr", "zh-Hant-HK"])).toBe("zh-TW");
  expect(preferredLanguage(["zh-Hans", "en"])).toBe("zh-CN");
  expect(preferredLanguage(["en-GB"])).toBe("en");
  expect(preferredLanguage(["fr"])).toBe("zh-CN");
});

test("ages have one unit and a space that Chinese texts want", () => {
  expect(ageText(12 * 60_000 + 5, "zh-CN")).toBe("12 分钟");
  expect(ageText(12 * 60_000 + 5, "zh-TW")).toBe("12 分鐘");
  expect(ageText(3 * 3_600_000, "en")).toBe("3 hr");
  expect(ageText(-5, "en")).toBe("0 sec");
});

test("a business date is the same day in every time zone", () => {
  expect(dateText("2017-08-07", "en")).toContain("7");
  expect(dateText("2017-08-07", "zh-CN")).toContain("8月7日");
});

test("an instant is told in the store's time zone, whatever the browser's is", () => {
  const evening = Date.UTC(2017, 9, 1, 23, 41);
  expect(instantText(evening, "zh-CN", "America/New_York")).toBe("2017/10/01 19:41");
  expect(instantText(evening, "zh-CN", "Asia/Shanghai")).toBe("2017/10/02 07:41");
  expect(instantText(evening + 19 * 60_000, "zh-CN", "UTC")).toBe("2017/10/02 00:00");
  expect(instantText(evening, "zh-CN", "Nowhere/Known")).toBe("2017/10/01 23:41");
});

test("every text the till names is in every language, and none of its texts is unused", () => {
  const all = sources("edge/web/src").join("\n");
  const english = catalogue("en");
  const stems = new Set(
    Object.keys(english).map((key) => key.replace(/_(one|other)$/, "")),
  );
  const named = [...all.matchAll(/"((?:till|common)\.[a-z_.]+)"/g)]
    .map((found) => found[1] as string)
    .filter((key) => !key.endsWith("."));
  expect(named.filter((key) => !stems.has(key) && !(key in english))).toEqual([]);

  const built = [...all.matchAll(/`((?:till|tender)\.[^`]*)`/g)].map((found) => {
    const pattern = (found[1] as string).replaceAll(".", "\\.").replace(/\$\{[^}]*\}/g, "[\\w.]+");
    return new RegExp(`^${pattern}$`);
  });
  const unused = [...stems].filter(
    (key) =>
      key.startsWith("till.") && !named.includes(key) && !built.some((one) => one.test(key)),
  );
  expect(unused).toEqual([]);
  for (const language of ["zh-CN", "zh-TW"]) {
    expect(Object.keys(catalogue(language))).toEqual(Object.keys(english));
  }
});

test("no component holds a Chinese text of its own", () => {
  const own = sources("edge/web/src").filter((source) => /\p{Script=Han}/u.test(source));
  expect(own).toEqual([]);
});
