/** What a price change would replace, store by store.  Prices are compared here, never computed. */

import type { PriceRow, Store } from "../api/types.ts";

export interface PriceStep {
  store: Store;
  /** The published price in force at the instant of the change; null when there is none. */
  old: PriceRow | null;
}

const LEVELS: readonly ((scope: string) => boolean)[] = [
  (scope) => scope.startsWith("store-"),
  (scope) => scope.startsWith("zone:"),
  (scope) => scope === "",
];

/**
 * Find the price in force at an instant (UTC ms) among the rows that one store may have, drafts
 * left out: the store's own counts first, then its zone's, then the chain's.
 */
export function priceAt(rows: readonly PriceRow[], atMs: number): PriceRow | null {
  for (const isLevel of LEVELS) {
    const found = lastAt(
      rows.filter((row) => isLevel(row.scope)),
      atMs,
    );
    if (found !== null && found.regular_minor !== null) return found;
  }
  return null;
}

/** What one place says at an instant: of the rows that cover it the one that begins last. */
function lastAt(rows: readonly PriceRow[], atMs: number): PriceRow | null {
  let found: PriceRow | null = null;
  for (const row of rows) {
    if (row.published_rev === null || row.from_at_ms > atMs) continue;
    if (row.to_at_ms !== null && row.to_at_ms <= atMs) continue;
    if (found === null || row.from_at_ms >= found.from_at_ms) found = row;
  }
  return found;
}

const isAbove = (scope: string, zone: string | undefined): boolean =>
  scope === "" || (zone !== undefined && scope === `zone:${zone}`);

/** What each store has at an instant; `zones` gives the price zone of each store that has one. */
export function stepsOf(
  rows: readonly PriceRow[],
  targets: readonly Store[],
  atMs: number,
  zones: Readonly<Record<string, string>> = {},
): PriceStep[] {
  return targets.map((store) => ({
    store,
    old: priceAt(
      rows.filter((row) => row.store_id === store.store_id || isAbove(row.scope, zones[store.store_id])),
      atMs,
    ),
  }));
}
