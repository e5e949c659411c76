/** What the box pushes to a customer's display.  Money in minor units, quantity in thousandths. */
import type { Language } from "@tillbox/web/i18n.ts";

export interface CustomerLine {
  readonly n: number;
  readonly name: string;
  readonly qty_milli: number;
  /** What it was weighed in, null for pieces. */
  readonly unit: string | null;
  readonly unit_minor: number | null;
  readonly gross_minor: number;
  readonly net_minor: number;
  readonly needs_price: boolean;
}

export interface CustomerView {
  readonly phase: "idle" | "open" | "done";
  readonly store_name: string;
  readonly lane_name: string;
  readonly currency: string;
  readonly digits: number;
  readonly language: Language;
  readonly is_training: boolean;
  readonly is_member: boolean;
  readonly lines: readonly CustomerLine[];
  readonly touched_line: number | null;
  readonly count: number;
  readonly gross_minor: number;
  readonly saved_minor: number;
  readonly due_minor: number;
  readonly paid_minor: number;
  readonly remaining_minor: number;
  readonly weighing: { readonly name: string; readonly unit_minor: number | null } | null;
  readonly done: {
    readonly due_minor: number;
    readonly tendered_minor: number;
    readonly change_minor: number;
    readonly rounding_minor: number;
  } | null;
}
