/** The words of offers in the screen's language, amounts in the currency of their stores. */

import { t, texts } from "./app.svelte.ts";
import { money } from "./format.ts";
import type { Speech } from "./offer_words.ts";
import { stores } from "./stores.svelte.ts";

export function speechFor(storeIds: readonly string[] | null): Speech {
  const storeId = storeIds?.[0] ?? stores.list[0]?.store_id ?? "";
  const currency = stores.find(storeId)?.currency;
  return { t, language: texts.language, money: (minor) => money(minor, currency).replace(/\.00$/, "") };
}

/** The names of an offer's stores, or how many they are. */
export function storesWords(storeIds: readonly string[] | null): string {
  if (storeIds === null) return t("console.all_stores");
  if (storeIds.length > 2) return t("console.promotions.some_stores", { count: storeIds.length });
  return storeIds.map(stores.name).join(" · ");
}
