/**
 * An offer's canonical document (`tillbox-offers/1`) in words that fit a table's cell. Only for
 * people: what an offer takes off is computed by the cloud and the boxes alone.
 */

import type { Params, TextKey } from "@tillbox/web/i18n.ts";

export type Document = Readonly<Record<string, unknown>>;

/** What the words need of their page: its texts, its language, and how an amount is written. */
export interface Speech {
  t: (key: TextKey, params?: Params) => string;
  language: string;
  money: (minor: number) => string;
}

const FULL_BP = 10_000;

const part = (value: unknown): Document => (typeof value === "object" && value !== null ? (value as Document) : {});
const parts = (value: unknown): Document[] => (Array.isArray(value) ? value.map(part) : []);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const whole = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** The name of an offer in the reader's language, else in any; without one its id. */
export function offerName(document: Document, language: string): string {
  const { id, name } = document;
  if (typeof name === "string") return name;
  const names = Object.entries(part(name));
  return String(names.find(([one]) => one === language)?.[1] ?? names[0]?.[1] ?? id);
}

/** A share off: Chinese says what is left in tenths (8.5 折), English what is taken (15 % off). */
export function cutWords(bp: number, { t, language }: Speech): string {
  if (bp >= FULL_BP) return t("console.offer.free");
  const n = language.startsWith("zh") ? (FULL_BP - bp) / 1000 : bp / 100;
  return t("console.offer.cut", { n: String(n) });
}

function offWords(one: Document, speech: Speech): string {
  const [bp, amount] = [whole(one["bp"]), whole(one["amount"] ?? one["amount_each"])];
  if (bp !== undefined) return cutWords(bp, speech);
  return speech.t("console.offer.amount_off", { amount: speech.money(amount ?? 0) });
}

function stepWords(by: unknown, step: Document, speech: Speech): string {
  const at = whole(step["at"]) ?? 0;
  const from =
    by === "qty"
      ? speech.t("console.offer.when.min_qty", { qty: at })
      : speech.t("console.offer.when.min_spend", { amount: speech.money(at) });
  return `${from} ${offWords(step, speech)}`;
}

type Teller = (reward: Document, speech: Speech) => string;

const amountIn = (reward: Document, speech: Speech): string => speech.money(whole(reward["amount"]) ?? 0);
const withAmount =
  (key: TextKey): Teller =>
  (reward, speech) =>
    speech.t(key, { amount: amountIn(reward, speech) });

const REWARDS: Readonly<Record<string, Teller>> = {
  percent_off: (reward, speech) => cutWords(whole(reward["bp"]) ?? 0, speech),
  amount_off: withAmount("console.offer.amount_off"),
  amount_off_each: withAmount("console.offer.amount_off_each"),
  amount_off_line: withAmount("console.offer.amount_off_line"),
  price_each: withAmount("console.offer.price_each"),
  add_on: withAmount("console.offer.add_on"),
  set_price: (reward, speech) =>
    speech.t("console.offer.set_price", { size: whole(reward["size"]) ?? 0, amount: amountIn(reward, speech) }),
  bundle_price: (reward, speech) =>
    speech.t("console.offer.bundle_price", {
      size: parts(reward["slots"]).reduce((sum, slot) => sum + (whole(slot["qty"]) ?? 1), 0),
      amount: amountIn(reward, speech),
    }),
  nth_unit: (reward, speech) =>
    speech.t("console.offer.nth_unit", { n: whole(reward["n"]) ?? 0, cut: cutWords(whole(reward["bp"]) ?? 0, speech) }),
  buy_get: (reward, speech) =>
    speech.t("console.offer.buy_get", {
      buy: whole(part(reward["buy"])["qty"]) ?? 1,
      get: whole(part(reward["get"])["qty"]) ?? 1,
      cut: offWords(reward, speech),
    }),
  tiers: (reward, speech) =>
    parts(reward["steps"])
      .map((step) => stepWords(reward["by"], step, speech))
      .join(speech.t("console.offer.and")),
  every: (reward, speech) =>
    speech.t("console.offer.every", {
      spend: speech.money(whole(reward["spend"]) ?? 0),
      amount: amountIn(reward, speech),
    }),
  group_each: (reward, speech) =>
    speech.t("console.offer.group_each", { size: whole(reward["size"]) ?? 0, cut: offWords(reward, speech) }),
  gift: (reward, speech) => speech.t("console.offer.gift", { units: whole(reward["max_units"]) ?? 1 }),
};

const CONDITIONS: Readonly<Record<string, Teller>> = {
  min_spend: withAmount("console.offer.when.min_spend"),
  min_qty: (one, speech) =>
    one["uom"] === undefined
      ? speech.t("console.offer.when.min_qty", { qty: String(one["qty"]) })
      : speech.t("console.offer.when.min_weight", { qty: `${one["qty"]} ${one["uom"]}` }),
  distinct: (one, speech) => speech.t("console.offer.when.distinct", { n: whole(one["count"]) ?? 0 }),
  contains: (_one, speech) => speech.t("console.offer.when.contains"),
  member: (one, speech) =>
    [speech.t("console.offer.when.member"), ...texts(one["tiers"]), ...texts(one["groups"])].join(" "),
  order_no: (one, speech) => speech.t("console.offer.when.order_no", { n: whole(one["n"]) ?? 0 }),
};

function told(tellers: Readonly<Record<string, Teller>>, one: Document, speech: Speech): string {
  const type = String(one["type"]);
  return tellers[type]?.(one, speech) ?? type;
}

/** What an offer gives and on which conditions: "满 ¥100.00，减 ¥20.00". */
export function offerWords(document: Document, speech: Speech): string {
  const conditions = parts(document["when"]).map((one) => told(CONDITIONS, one, speech));
  return [...conditions, told(REWARDS, part(document["reward"]), speech)].join(speech.t("console.offer.and"));
}

/** Which goods it takes the discount off, shortly. */
export function goodsWords(document: Document, { t }: Speech): string {
  const target = part(document["target"]);
  const named = [...texts(target["category"]), ...texts(target["tag"])];
  const goods = texts(target["sku"]).length;
  const found = [...named, ...(goods > 0 ? [t("console.offer.goods", { count: goods })] : [])];
  if (found.length > 0) return found.join(" · ");
  return target["all"] === true || document["target"] === undefined ? t("console.offer.all_goods") : t("console.offer.some_goods");
}

const clockless = (moment: unknown): string =>
  String(moment)
    .replace(/T00:00(:00)?$/, "")
    .replace("T", " ")
    .replace(/:00(Z?)$/, "$1")
    .replace(/Z$/, " UTC");

/** When it is open; none when always. Days and hours are the store's own. */
export function windowWords(document: Document, { t, language }: Speech): string[] {
  const valid = part(document["valid"]);
  const { from, to } = valid;
  const found: string[] = [];
  if (from !== undefined || to !== undefined)
    found.push(`${from === undefined ? "" : clockless(from)} – ${to === undefined ? "" : clockless(to)}`.trim());
  const days = (Array.isArray(valid["weekdays"]) ? valid["weekdays"] : []).map((day) => weekdayName(Number(day), language));
  if (days.length > 0) found.push(days.join(" "));
  const dates = texts(valid["dates"]);
  if (dates.length > 0)
    found.push(dates.length > 2 ? t("console.offer.dates", { first: dates[0] ?? "", count: dates.length }) : dates.join(" · "));
  const daily = Array.isArray(valid["daily"]) ? valid["daily"] : [];
  for (const window of daily) found.push(texts(window).map((end) => end.replace(/^(\d\d:\d\d):00$/, "$1")).join("–"));
  return found;
}

function weekdayName(day: number, language: string): string {
  const format = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });
  return format.format(new Date(Date.UTC(2024, 0, day))); // 1 January 2024 was a Monday
}
