/** The store box's HTTP API, one function per command. */
import { callJson } from "@tillbox/web/client.ts";
import type { Operator, TenderKind } from "./lane-view.ts";

export interface Lanes {
  readonly store: {
    readonly id: string;
    readonly name: string;
    readonly currency: string;
    readonly locale: string;
    readonly currency_symbol: string;
    readonly digits: number;
  };
  readonly lanes: readonly { readonly lane: number; readonly name: string }[];
  readonly operators: readonly Operator[];
  readonly sw: string;
}

export interface FoundItem {
  readonly gtin: string;
  readonly name: string;
  readonly price_minor: number | null;
  readonly member_minor: number | null;
  readonly is_weighed: boolean;
}

export interface Receipt {
  readonly receipt_no: string;
  readonly text: string;
  readonly at_ms: number;
  readonly total_minor: number;
  readonly copies: number;
}

export type ReceiptRow = Omit<Receipt, "text">;

/** The sums of a business day, as shared/till/z_report.py folds them. */
export interface ZReport {
  readonly business_date: string;
  readonly receipts: number;
  readonly lines: number;
  readonly gross_minor: number;
  readonly member_disc_minor: number;
  readonly store_coupon_minor: number;
  readonly net_minor: number;
  readonly mfr_coupon_minor: number;
  readonly cash_minor: number;
  readonly card_minor: number;
  readonly voided_baskets: number;
  readonly voided_lines: number;
  readonly overrides: number;
  readonly no_sales: number;
  readonly reprints: number;
}

export interface CommandResult {
  readonly seq: number;
  readonly receipt_no?: string;
}

const query = (params: Record<string, string | number>): string =>
  new URLSearchParams(Object.entries(params).map(([k, v]) => [k, String(v)])).toString();

/** What every till page may ask before anybody has signed in. */
export const getLanes = (): Promise<Lanes> => callJson("GET", "/v1/lanes");

/** The commands of one lane. */
export class LaneApi {
  readonly #base: string;

  constructor(lane: number) {
    this.#base = `/v1/lanes/${lane}`;
  }

  get eventsUrl(): string {
    return `${this.#base}/events`;
  }

  #do(method: "POST" | "DELETE", path: string, body?: unknown): Promise<CommandResult> {
    return callJson(method, this.#base + path, method === "POST" ? (body ?? {}) : undefined);
  }

  signIn = (operator: string, pin: string) => this.#do("POST", "/session", { operator, pin });
  signOut = () => this.#do("DELETE", "/session");
  scan = (code: string) => this.#do("POST", "/scans", { code });
  setQuantity = (n: number, qty_milli: number) =>
    this.#do("POST", `/lines/${n}/quantity`, { qty_milli });
  removeLine = (n: number, reason: string) =>
    this.#do("DELETE", `/lines/${n}?${query({ reason })}`);
  override = (n: number, regular_minor: number, reason: string) =>
    this.#do("POST", `/lines/${n}/override`, { regular_minor, member_minor: null, reason });
  storeCoupon = (n: number, amount_minor: number, reference: string) =>
    this.#do("POST", `/lines/${n}/store-coupon`, { amount_minor, reference });
  dismiss = (n: number, reason: string) => this.#do("POST", `/unknown/${n}/dismiss`, { reason });
  undo = () => this.#do("POST", "/undo");
  tender = (kind: TenderKind, amount_minor: number, reference?: string) =>
    this.#do("POST", "/tenders", {
      kind,
      amount_minor,
      ...(reference === undefined ? {} : { reference }),
    });
  voidBasket = (reason: string) => this.#do("POST", "/void", { reason });
  reprint = (receipt_no: string | null) => this.#do("POST", "/reprint", { receipt_no });
  openDrawer = (reason: string) => this.#do("POST", "/drawer", { reason });
  shown = (revision: number) => this.#do("POST", "/shown", { revision });

  openDay = (business_date: string): Promise<unknown> =>
    callJson("POST", "/v1/day/open", { business_date });
  dayReport = (): Promise<ZReport> => callJson("GET", "/v1/day");
  closeDay = (): Promise<ZReport> => callJson("POST", "/v1/day/close", {});
  items = (q: string, limit = 30): Promise<FoundItem[]> =>
    callJson("GET", `/v1/items?${query({ q, limit })}`, undefined, { waitsMs: [] });
  receipt = (receiptNo: string): Promise<Receipt> =>
    callJson("GET", `/v1/receipts/${encodeURIComponent(receiptNo)}`);
  receipts = (lane: number, limit = 50): Promise<ReceiptRow[]> =>
    callJson("GET", `/v1/receipts?${query({ lane, limit })}`);
}
