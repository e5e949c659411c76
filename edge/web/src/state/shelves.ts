/** How quantities of a shelf and temperatures are written. */
import { texts, till } from "./till.svelte.ts";

/** Pieces, or kilograms where goods are sold by weight; a dash where nobody knows. */
export function amountOf(milli: number | null, isPieces: boolean): string {
  if (milli === null) return "–";
  return isPieces ? till.quantity(milli) : till.weight(milli, "kg");
}

export function degrees(celsiusMilli: number): string {
  const format = new Intl.NumberFormat(texts.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return `${format.format(celsiusMilli / 1000)} °C`;
}
