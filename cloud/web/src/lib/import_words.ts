/** How the cells of a table are named and written. */

import type { ImportJob, ImportRow } from "../api/imports.ts";
import { t, texts } from "./app.svelte.ts";
import { fullInstant, money, percent } from "./format.ts";
import { stores } from "./stores.svelte.ts";

const AMOUNTS = new Set(["regular_price_cents", "member_price_cents", "min_price_minor", "cost_minor"]);
const LOCAL_TIMES = new Set(["effective_from", "effective_at", "until"]);
const SHARES = new Set(["tax_bp", "min_margin_bp"]);

const ORDER = [
  ...["store_id", "effective_from", "effective_at", "until", "name", "department", "category", "brand"],
  ...["package_size", "codes", "plu", "regular_price_cents", "member_price_cents"],
];
const rank = (field: string): number => (ORDER.includes(field) ? ORDER.indexOf(field) : ORDER.length);

/** The cells of a row in the order in which a person looks at them: [column, old, new]. */
export const cellsOf = (row: ImportRow): [string, unknown, unknown][] =>
  Object.entries(row.cells)
    .map(([field, [old, next]]): [string, unknown, unknown] => [field, old, next])
    .sort((a, b) => rank(a[0]) - rank(b[0]));

export const fieldName = (field: string): string => texts.find(`console.field.${field}`) ?? field;

/** The currency of a place: its store's, else that of the first store. */
export function currencyAt(place: string): string | undefined {
  return (stores.find(place) ?? stores.list[0])?.currency;
}

/** Write a value as a person reads it; amounts belong to `place`. */
export function cellText(field: string, value: unknown, place: string): string {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.length === 0 ? "–" : value.join(", ");
  if (typeof value === "boolean") return value ? t("console.bulk.yes") : t("console.bulk.no");
  if (typeof value !== "number") {
    if (field === "store_id") return placeName(value);
    // The name of a picture is its hash: its beginning tells two apart.
    if (field === "image") return String(value).replace(/^(sha256:.{8}).+$/u, "$1…");
    return LOCAL_TIMES.has(field) ? String(value).replace("T", " ") : String(value);
  }
  if (AMOUNTS.has(field)) return money(value, currencyAt(place));
  if (SHARES.has(field)) return percent(value);
  if (field === "effective_at" || field === "until") return fullInstant(value, stores.find(place)?.time_zone);
  return String(value);
}

function placeName(value: unknown): string {
  const id = String(value);
  if (id === "chain") return t("console.bulk.chain");
  return stores.find(id) === undefined ? id : `${id} · ${stores.name(id)}`;
}

/** Where a row's prices hold; "" for a row of the catalogue. */
export const placeOf = (row: ImportRow): string => String(row.cells["store_id"]?.[1] ?? "");

export const stateTone = (job: ImportJob): "good" | "warn" | "bad" | "neutral" =>
  ({ open: "warn", refused: "bad", applied: "good", discarded: "neutral" }) [job.state] as "good";
export const stateText = (job: ImportJob): string => texts.find(`console.import.state.${job.state}`) ?? job.state;

/**
 * Whole parts of a decimal that somebody typed, with its sign: ("-12.5", 2) gives -1250.
 * Null where it is none, or has more decimals.
 */
export function parseSigned(text: string, digits: number): number | null {
  const plain = text.normalize("NFKC").replace(/\s|%/g, "").replace("−", "-").replace(",", ".");
  const found = /^([+-]?)(\d{1,8})(?:\.(\d*))?$/.exec(plain);
  if (found === null || (found[3] ?? "").length > digits) return null;
  const whole = Number(`${found[2]}${(found[3] ?? "").padEnd(digits, "0")}`);
  return found[1] === "-" ? -whole : whole;
}
