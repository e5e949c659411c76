/** What a price change would replace, store by store.  Prices are compared here, never computed. */

import type { PriceRow, Store } from "../api/types.ts";

export interface PriceStep {
  store: Store;
  /** The published price in force at the instant of the change; null when there is none. */
  old: PriceRow | null;
}

/** Find the price in force at an instant (UTC ms) among rows of one store, drafts left out. */
export function priceAt(rows: readonly PriceRow[], atMs: number): PriceRow | null {
  let found: PriceRow | null = null;
  for (const row of rows) {
    if (row.published_rev === null || row.from_at_ms > atMs) continue;
    if (found === null || row.from_at_ms >= found.from_at_ms) found = row;
  }
  return found;
}

export function stepsOf(rows: readonly PriceRow[], targets: readonly Store[], atMs: number): PriceStep[] {
  return targets.map((store) => ({
    store,
    old: priceAt(
      rows.filter((row) => row.store_id === store.store_id),
      atMs,
    ),
  }));
}
