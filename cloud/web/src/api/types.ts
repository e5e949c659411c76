/** What the cloud answers. Money is integer minor units, instants are UTC milliseconds. */

export interface Session {
  user: string;
  name: string;
  role: string;
  permissions: string[];
}

export interface Store {
  store_id: string;
  name: string;
  time_zone: string;
  currency: string;
}

export interface CatalogueItem {
  gtin: string;
  name: string;
  department: string;
  category: string;
  brand: string;
  package_size: string;
  is_weighed: boolean;
  plu: string | null;
  regular_minor: number | null;
  member_minor: number | null;
  price_from_at_ms: number | null;
  has_draft: boolean;
}

export interface ItemPage {
  items: CatalogueItem[];
  total: number;
  page: number;
  size: number;
}

export interface PriceRow {
  store_id: string;
  from_at_ms: number;
  regular_minor: number;
  member_minor: number | null;
  created_by: string;
  created_at_ms: number;
  reason: string | null;
  published_rev: number | null;
}

export interface PriceChange {
  gtin: string;
  store_ids: string[] | null;
  regular_minor: number;
  member_minor: number | null;
  from_at_ms: number | null;
  reason?: string;
  confirm_large?: boolean;
}

export interface ImportResult {
  rows: number;
  created: number;
  updated: number;
  unchanged: number;
}

export interface RowError {
  line: number;
  column: string | null;
  code: string;
  params: Record<string, string | number>;
  detail: string;
}

export interface DraftChange {
  gtin: string;
  name: string;
  store_id: string | null;
  old_minor: number | null;
  new_minor: number | null;
}

export interface Draft {
  changes: number;
  items: number;
  prices: number;
  stores: string[];
  sample: DraftChange[];
}

export interface Publication {
  rev: number;
  at_ms: number;
  by: string;
  note: string;
  changes?: number;
}

export type ConvergenceState = "current" | "staged" | "lagging" | "refused" | "silent";

export interface ConvergenceRow {
  store_id: string;
  name: string;
  target_rev: number | null;
  stored_rev: number | null;
  active_rev: number | null;
  shown_rev: number | null;
  stored_at_ms: number | null;
  active_at_ms: number | null;
  shown_at_ms: number | null;
  state: ConvergenceState;
  because: string | null;
}

export interface Convergence {
  target_rev: number | null;
  stores: ConvergenceRow[];
}

export interface Box {
  dev: string;
  store_id: string;
  store_name: string;
  online: boolean;
  last_contact_at_ms: number | null;
  unsynced: number | null;
  head_seq: number | null;
  edge_head_seq: number | null;
  sw: string | null;
  stream_status: string;
}

export interface Claim {
  token: string;
  expires_at_ms: number;
}

export interface CloseSums {
  receipts: number;
  lines: number;
  units: number;
  gross_minor: number;
  member_disc_minor: number;
  store_coupon_minor: number;
  net_minor: number;
  mfr_coupon_minor: number;
  tender_minor: number;
}

export interface CloseRow extends CloseSums {
  store_id: string;
  business_date: string;
  box_matches: boolean | null;
}

export interface CloseTotals extends CloseSums {
  currency: string;
}

export interface DailyClose {
  rows: CloseRow[];
  totals?: CloseTotals[];
}

export interface LiveStore {
  store_id: string;
  name: string;
  business_date?: string | null;
  today_net_minor: number;
  today_receipts: number;
  last_sale_at_ms: number | null;
}

export interface LiveSale {
  store_id: string;
  receipt_no: string;
  at_ms: number;
  net_minor: number;
  lines: number;
}

export interface Live {
  stores: LiveStore[];
  recent: LiveSale[];
  totals?: { currency: string; net_minor: number; receipts: number }[];
}
