/** Releases: what the cloud answers about them, and what may be asked of it. */

import type { Progress } from "../lib/progress.ts";
import type { Verb } from "../lib/release_words.ts";
import { ask } from "./ask.ts";
import { address } from "./calls.ts";

export interface Move {
  gtin: string;
  name: string;
  scope: string;
  store_id: string | null;
  currency: string;
  from_at_ms: number | null;
  old_minor: number | null;
  new_minor: number | null;
  old_member_minor: number | null;
  new_member_minor: number | null;
  move_bp: number | null;
}
export interface BelowCost {
  gtin: string;
  name: string;
  scope: string;
  store_id: string | null;
  currency: string;
  price_minor: number;
  cost_minor: number;
}
export interface Finding {
  severity: string;
  code: string;
  params: Record<string, string | number>;
  where: string;
}
export interface Effect {
  currency: string;
  baskets: number;
  touched: number;
  net_before_minor: number;
  net_after_minor: number;
  margin_before_minor: number;
  margin_after_minor: number;
  lines: number;
  lines_without_cost: number;
  paying_more: number;
  paying_less: number;
}
export interface Simulation {
  state: string;
  because: string | null;
  done: number;
  total: number;
  from_on: string | null;
  to_on: string | null;
  totals: Effect[];
}
export interface Because {
  rule: string;
  value: number;
  limit: number;
}
export interface Preview {
  changes: number;
  by_kind: Record<string, number>;
  stores: number;
  store_ids: string[];
  moves: Move[];
  moves_total: number;
  below_cost: BelowCost[];
  below_cost_total: number;
  findings: Finding[];
  needs_approval: boolean;
  approval_because: Because[];
  simulation: Simulation;
}
export interface PlanWave {
  name: string;
  percent: number | null;
  group: string | null;
  stores: string[] | null;
  soak_s: number;
  offset_min: number;
}
export interface ReleaseRow {
  release_id: number;
  note: string;
  state: string;
  because: string | null;
  created_by: string;
  created_at_ms: number;
  approved_by: string | null;
  approved_at_ms: number | null;
  changes: number;
  by_kind: Record<string, number>;
  stores: number;
  starts_local: string | null;
  wave: number;
  waves_count: number;
  progress: Progress;
  needs_approval: boolean;
  undoes: number | null;
  may: string[];
}
export interface ReleasePage {
  releases: ReleaseRow[];
  total: number;
  page: number;
  size: number;
}
export interface Wave {
  n: number;
  name: string;
  state: string;
  stores: number;
  percent: number | null;
  group: string | null;
  started_at_ms: number | null;
  done_at_ms: number | null;
  first_at_ms: number | null;
  last_at_ms: number | null;
  next_at_ms: number | null;
  soak_s: number;
  offset_min: number;
  progress: Progress;
}
export interface Evidence {
  store_id: string;
  name: string;
  value: number;
  text: string;
  at_ms: number;
}
export interface Guard {
  guard: string;
  is_on: boolean;
  threshold: number;
  unit: string;
  least: number;
  window_s: number;
  action: string;
  at_ms: number | null;
  value: number | null;
  state: string;
  evidence: Evidence[];
}
export interface ReleaseEvent {
  at_ms: number;
  by: string;
  action: string;
  reason: string;
  params: Record<string, number | string>;
}
export interface Conflict {
  release_id: number;
  note: string;
  keys: string[];
}
export interface Waits {
  why: string;
  until_ms: number | null;
}
export interface Release extends ReleaseRow {
  waves: Wave[];
  guards: Guard[];
  events: ReleaseEvent[];
  conflicts: Conflict[];
  waits: Waits | null;
}
export interface ReleaseStore {
  store_id: string;
  name: string;
  wave: number;
  state: string;
  rev: number | null;
  at_ms: number | null;
  stored_at_ms: number | null;
  active_at_ms: number | null;
  shown_at_ms: number | null;
  because: string | null;
}
export interface ReleaseStores {
  stores: ReleaseStore[];
  total: number;
  page: number;
  size: number;
  counts: Record<string, number>;
}
export interface Policy {
  lines_max: number;
  move_bp_max: number;
  stores_max: number;
  below_cost: boolean;
  plan: PlanWave[];
}
export interface StoredPolicy extends Policy {
  changed_by: string;
  changed_at_ms: number;
}
export interface GuardSetting {
  guard: string;
  is_on: boolean;
  threshold: number;
  unit: "bp" | "count" | "minor";
  least: number;
  window_s: number;
  action: "roll_back" | "halt";
}

export interface ReleaseFilter {
  state?: string | undefined;
  q?: string | undefined;
  page?: string | undefined;
}
export interface ReleaseRequest {
  note: string;
  starts_local: string;
  plan: PlanWave[] | null;
  approve: boolean;
}
export interface StoreFilter {
  state?: string | undefined;
  wave?: string | undefined;
  q?: string | undefined;
  page?: string | undefined;
}
export const listReleases = (filter: ReleaseFilter): Promise<ReleasePage> =>
  ask("GET", address("/v1/releases", { ...filter }));
export const readRelease = (id: number): Promise<Release> => ask("GET", `/v1/releases/${id}`);
export const previewDraft = (): Promise<Preview> => ask("GET", "/v1/releases/draft/preview");
export const previewRelease = (id: number): Promise<Preview> => ask("GET", `/v1/releases/${id}/preview`);
export const submitRelease = (request: ReleaseRequest): Promise<Release> => ask("POST", "/v1/releases", request);
export const actOn = (id: number, verb: Verb, reason: string): Promise<Release> =>
  ask("POST", `/v1/releases/${id}/${verb}`, { reason });
export const listReleaseStores = (id: number, filter: StoreFilter): Promise<ReleaseStores> =>
  ask("GET", address(`/v1/releases/${id}/stores`, { ...filter }));
export const readPolicy = (): Promise<StoredPolicy> => ask("GET", "/v1/release-policy");
export const savePolicy = (policy: Policy): Promise<Policy> => ask("PUT", "/v1/release-policy", policy);
export const readGuards = async (): Promise<GuardSetting[]> =>
  (await ask<{ guards: GuardSetting[] }>("GET", "/v1/release-guards")).guards;
export const saveGuards = async (guards: GuardSetting[]): Promise<GuardSetting[]> =>
  (await ask<{ guards: GuardSetting[] }>("PUT", "/v1/release-guards", { guards })).guards;
