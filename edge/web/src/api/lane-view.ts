/** What the box pushes over the lane's event stream.  Money in minor units, quantity in thousandths,
 * instants in UTC milliseconds. */

export type LaneState = "locked" | "day_closed" | "selling" | "done";
export type PayBlock = "empty" | "unknown_codes" | "needs_price" | "day_closed" | "weighing" | "age";
export type TenderKind = "cash" | "card" | "manufacturer_coupon";
export type PrintState = "queued" | "printing" | "printed" | "failed" | "unknown";

export interface Operator {
  readonly id: string;
  readonly name: string;
  readonly role: string;
}

export interface Modifier {
  readonly kind: string;
  /** Negative when the customer saves. */
  readonly amount_minor: number;
  readonly because: string;
  readonly params: Readonly<Record<string, string | number>>;
}

export interface Weighed {
  readonly source: "scale" | "manual" | "label";
  readonly tare_milli: number;
  readonly unit: string;
}

/** Goods that wait for their weight. */
export interface Weighing {
  readonly gtin: string;
  readonly name: string;
  readonly unit_minor: number | null;
  readonly tare_milli: number;
}

/** The lane's scale: with goods that wait what it says of them, else only whether it is there. */
export interface ScaleView {
  readonly condition:
    | "ready" | "absent" | "stable" | "moving" | "zero" | "under" | "over" | "unknown" | "own_tare" | "tare_above";
  readonly net_milli?: number;
  readonly amount_minor?: number | null;
  readonly unit: string;
  /** A weight is sold as soon as it is stable. */
  readonly is_automatic: boolean;
}

export interface BasketLine {
  readonly n: number;
  readonly gtin: string;
  readonly name: string;
  readonly qty_milli: number;
  readonly is_weighed: boolean;
  readonly unit_minor: number;
  readonly gross_minor: number;
  readonly net_minor: number;
  readonly needs_price: boolean;
  readonly is_overridden: boolean;
  /** Where the weight is from, and what was taken off for a container. */
  readonly weighed: Weighed | null;
  readonly modifiers: readonly Modifier[];
}

export interface UnknownCode {
  readonly n: number;
  readonly code: string;
  readonly because: string;
  readonly at_ms: number;
}

export interface Tender {
  readonly kind: TenderKind;
  readonly amount_minor: number;
}

/** An offer that acted on the basket. */
export interface ActingOffer {
  readonly id: string;
  readonly name: string;
  /** Negative: what the customer saves. */
  readonly amount_minor: number;
  readonly times: number;
}

/** A code of `offer.hint.*` or `offer.why.*` about one offer, with what fills its text. */
export interface Told {
  readonly offer_id: string;
  readonly name: string;
  readonly code: string;
  readonly params: Readonly<Record<string, string | number>>;
}

/** The code of an offer that was handed in. */
export interface OfferCoupon {
  readonly code: string;
  readonly name: string;
  readonly is_acting: boolean;
}

export interface Basket {
  readonly id: string;
  readonly opened_at_ms: number;
  readonly revision: number;
  readonly member: string | null;
  readonly lines: readonly BasketLine[];
  readonly unknown: readonly UnknownCode[];
  readonly count: number;
  readonly gross_minor: number;
  readonly savings: readonly { readonly kind: string; readonly amount_minor: number }[];
  readonly due_minor: number;
  readonly tenders: readonly Tender[];
  readonly remaining_minor: number;
  /** Whether the store has offers at all. */
  readonly has_offers: boolean;
  readonly offers: readonly ActingOffer[];
  readonly coupons: readonly OfferCoupon[];
  /** Near misses, the most urgent first. */
  readonly hints: readonly Told[];
}

export interface LastScan {
  /** The lane's count of scans when this one came. */
  readonly no: number;
  readonly kind: "item" | "repeat" | "unknown" | "member" | "coupon" | "weigh" | "lost" | "pairing" | "refused";
  readonly name: string | null;
  readonly price_minor: number | null;
  readonly code: string;
}

export interface DoneSale {
  readonly receipt_no: string;
  readonly due_minor: number;
  readonly tendered_minor: number;
  readonly change_minor: number;
  /** What rounding for cash added to what was due, or below nought took off. */
  readonly rounding_minor: number;
  readonly tenders: readonly Tender[];
  readonly receipt_text: string;
  readonly print: PrintState;
  /** Where the receipt comes out when that is not the lane's own printer: "printer-2". */
  readonly printer: string;
}

export interface PriceChange {
  readonly gtin: string;
  readonly name: string;
  readonly old_minor: number | null;
  readonly new_minor: number;
  readonly member_minor: number | null;
  readonly revision: number;
  readonly at_ms: number;
}

export interface WaitingApproval {
  readonly number: string;
  readonly permission: string;
  readonly badge: string;
  readonly approver: string;
}

export interface ShownBadge {
  readonly number: number;
  readonly operator: string;
  readonly name: string;
  readonly needs_pin: boolean;
  /** Code of why it is good for nothing; "" where it is good. */
  readonly because: string;
}

export interface LaneView {
  readonly seq: number;
  readonly lane: number;
  readonly lane_name: string;
  readonly store: { readonly id: string; readonly name: string };
  readonly business_date: string | null;
  readonly currency: string;
  readonly state: LaneState;
  readonly operator: Operator | null;
  readonly permissions: readonly string[];
  /** What the operator may do with a colleague's word only. */
  readonly approvable: readonly string[];
  /** The request that waits for it: a badge may have told who is there, or who has vouched. */
  readonly approval: WaitingApproval | null;
  /** The end of the member's phone number; "" for nobody, or a member known by a card alone. */
  readonly member_digits?: string;
  /** The badge that was shown to the scanner of a lane that nobody has. */
  readonly badge: ShownBadge | null;
  readonly basket: Basket;
  readonly weighing: Weighing | null;
  readonly touched_line: number | null;
  /** Scans the lane has ever taken, of every kind. */
  readonly scans: number;
  readonly last_scan: LastScan | null;
  /** What cash has to pay: what is left, rounded as the store rounds. */
  readonly cash_due_minor: number;
  readonly quick_cash: readonly number[];
  /** The ways to pay that the store takes now. */
  readonly tenders: readonly TenderKind[];
  readonly can_pay: boolean;
  readonly pay_blocked_by: PayBlock | null;
  /** How old the customer must be for the goods, in years; 0 where nobody asks. */
  readonly age_asked: number;
  readonly can_undo: boolean;
  readonly done: DoneSale | null;
  /** An earlier receipt that may not have come out; "" for none. */
  readonly doubtful: string;
  readonly revision: number;
  readonly price_changes: readonly PriceChange[];
}

export interface BoxStatus {
  readonly t: number;
  readonly box: { readonly state: "ok" | "retiring"; readonly sw: string };
  readonly cloud: {
    readonly state: "ok" | "offline" | "never";
    readonly since_ms: number;
    readonly unsynced: number;
  };
  readonly printer: {
    readonly state: "ok" | "paper_out" | "paper_low" | "cover_open" | "error" | "offline";
    readonly since_ms: number;
    readonly queued: number;
    /** The printer that prints for this lane while its own cannot; "" when none does. */
    readonly helper: string;
  };
  readonly scanner: { readonly state: "ok" | "absent" | "unpaired"; readonly last_at_ms: number | null };
  readonly clock: { readonly state: "ok" | "unsynced" };
  /** All devices in short; `revision` moves when the device page is out of date. */
  readonly devices: {
    readonly revision: number;
    readonly troubled: number;
    /** In trouble and not named by the strip. */
    readonly others: number;
    readonly self_test: "none" | "passed" | "failed" | "seen";
  };
  /** Sensors, open tasks, places too warm (`unseen`: nobody knows yet) or not heard of. */
  readonly shelf: {
    readonly sensors: number;
    readonly tasks: number;
    readonly warm: number;
    readonly unseen: number;
    readonly silent: number;
  };
  readonly training: boolean;
  readonly secure: boolean;
  /** The box's own journal: stream id, last entry, last one that the cloud holds and its hash. */
  readonly journal: {
    readonly stream: string;
    readonly head: number;
    readonly acked: number;
    readonly acked_hash: string;
  };
  readonly copies: {
    readonly mirror: "off" | "ok" | "slow" | "absent" | "full";
    readonly salvage: readonly Salvage[];
  };
}

/** What the box does with entries of another box's journal that were handed in. */
export interface Salvage {
  readonly stream: string;
  readonly state: "waiting" | "sending" | "gap" | "offline" | "refused" | "bad" | "done";
  readonly entries: number;
  readonly sales: number;
  readonly handed_sales: number;
  readonly at_ms: number;
  /** First and last entry that are missing before what waits. */
  readonly gap: readonly [number, number] | null;
}
