/** How far stores are, kind by kind, and what an item costs in one of them. */

import { ask } from "./ask.ts";
import { address, set, type Loose } from "./calls.ts";
import { client, taken } from "./client.ts";
import type { components, operations } from "./schema.gen.ts";

type Schemas = components["schemas"];

export const KINDS = ["catalog", "price", "promotion", "config", "software"] as const;

export type KindCell = Schemas["KindConvergence"];
export type MatrixRow = Schemas["StoreConvergence"];
export type Matrix = Schemas["Matrix"];
export type ConvergenceSummary = Schemas["ConvergenceSummary"];
export type MatrixFilter = Loose<NonNullable<operations["convergence_matrix_v1_convergence_matrix_get"]["parameters"]["query"]>>;

export const readMatrix = (filter: MatrixFilter): Promise<Matrix> =>
  taken(client.GET("/v1/convergence/matrix", { params: { query: set(filter) } }));
export const readSummary = (): Promise<ConvergenceSummary> => taken(client.GET("/v1/convergence/summary"));

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
