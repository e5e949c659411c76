/** How far stores are, kind by kind, and what an item costs in one of them. */

import { ask } from "./ask.ts";
import type { Reached } from "../lib/states.ts";
import { address } from "./calls.ts";

export const KINDS = ["catalog", "price", "promotion", "config", "software"] as const;
export type Kind = (typeof KINDS)[number];

export interface KindCell {
  target: number | string | null;
  running: number | string | null;
  state: string;
  because: string | null;
  at_ms: number | null;
  since_ms: number | null;
}
export interface MatrixRow {
  store_id: string;
  name: string;
  state: string;
  because: string | null;
  target_rev: number | null;
  stored_rev: number | null;
  active_rev: number | null;
  shown_rev: number | null;
  stored_at_ms: number | null;
  active_at_ms: number | null;
  shown_at_ms: number | null;
  announced_at_ms: number | null;
  held_until_ms: number | null;
  last_contact_at_ms: number | null;
  cells: Record<string, KindCell>;
}
export interface Matrix {
  target_rev: number;
  reached: Reached;
  stores: MatrixRow[];
  total: number;
  page: number;
  size: number;
  counts: Record<string, number>;
  kinds_counts: Record<string, Record<string, number>>;
}
export interface MatrixFilter {
  state?: string | undefined;
  kind?: string | undefined;
  group?: string | undefined;
  q?: string | undefined;
  page?: string | undefined;
}
export interface ConvergenceSummary {
  target_rev: number;
  total: number;
  stored: number;
  active: number;
  shown: number;
  states: Record<string, number>;
}

export const readMatrix = (filter: MatrixFilter): Promise<Matrix> =>
  ask("GET", address("/v1/convergence/matrix", { ...filter }));
export const readSummary = (): Promise<ConvergenceSummary> => ask("GET", "/v1/convergence/summary");

export interface ProofRule {
  rule_id: string;
  name: string;
  amount_minor: number;
}
export interface ProofReason {
  code: string;
  params: Record<string, string | number>;
}
export interface ProofAnswer {
  gtin: string;
  name: string;
  qty_milli: number;
  currency: string;
  unit_minor: number | null;
  member_minor: number | null;
  total_minor: number | null;
  level: string;
  revision: number;
  at_ms: number;
  from_at_ms: number | null;
  rules: ProofRule[];
  reasons: ProofReason[];
}
export interface Proof {
  equal: boolean | null;
  cloud: ProofAnswer | null;
  box: ProofAnswer | null;
  box_at_ms: number | null;
  because: string | null;
}
export const askPrice = (storeId: string, gtin: string, qtyMilli: number): Promise<Proof> =>
  ask("GET", address(`/v1/stores/${encodeURIComponent(storeId)}/price-check`, { gtin, qty: String(qtyMilli) }));
