/** The chain's stores, read once after sign-in: names, time zones and currencies for every page. */

import type { Currency } from "@tillbox/web/money.ts";
import * as api from "../api/calls.ts";
import type { Store } from "../api/types.ts";
import { Remote } from "./remote.svelte.ts";

const all = new Remote<Store[]>();

export const stores = {
  get list(): Store[] {
    return all.data ?? [];
  },
  get known(): boolean {
    return all.data !== null;
  },
  load: (): Promise<void> => all.load(api.listStores),
  find: (id: string): Store | undefined => all.data?.find((store) => store.store_id === id),
  name: (id: string): string => stores.find(id)?.name ?? id,
};

const digits = new Map<string, number>();

/** A currency with the decimals that the browser's tables give it. */
export function currencyOf(code: string): Currency {
  let places = digits.get(code);
  if (places === undefined) {
    const format = new Intl.NumberFormat("en", { style: "currency", currency: code });
    places = format.resolvedOptions().maximumFractionDigits ?? 2;
    digits.set(code, places);
  }
  return { code, digits: places };
}
