/** How numbers, money and instants are written, in the language of the screen. */

import { ageText } from "@tillbox/web/i18n.ts";
import { decimalText, formatMinor } from "@tillbox/web/money.ts";
import { t, texts } from "./app.svelte.ts";
import { currencyOf, stores } from "./stores.svelte.ts";

const NONE = "–";
const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();

/** Show an integer with digit groups. */
export function count(value: number | null): string {
  if (value === null) return NONE;
  let format = numbers.get(texts.language);
  if (format === undefined) {
    format = new Intl.NumberFormat(texts.language);
    numbers.set(texts.language, format);
  }
  return format.format(value);
}

/** Show hundredths of a percent: 1250 is "12.5%". */
export function percent(basisPoints: number | null): string {
  if (basisPoints === null) return NONE;
  const format = new Intl.NumberFormat(texts.language, { style: "percent", maximumFractionDigits: 2 });
  return format.format(basisPoints / 10_000);
}

/** Show a length of time in its two largest units: "1 h 20 min". */
export function span(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), "day"],
    [Math.floor(seconds / 3600) % 24, "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [Math.round(seconds) % 60, "second"],
  ] as const;
  const first = Math.max(0, parts.findIndex(([value]) => value > 0));
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0);
  return (shown.length === 0 ? parts.slice(3) : shown).map(([value, unit]) => unitText(value, unit)).join(" ");
}

function unitText(value: number, unit: string): string {
  const format = new Intl.NumberFormat(texts.language, { style: "unit", unit, unitDisplay: "short" });
  return format.format(value);
}

/** Show minor units of a currency; without a known currency, as a bare decimal. */
export function money(minor: number | null, currency: string | undefined): string {
  if (minor === null) return NONE;
  if (currency === undefined) return decimalText(minor, 2);
  return formatMinor(minor, currencyOf(currency), texts.language);
}

/** Show minor units of a store's currency. */
export function storeMoney(minor: number | null, storeId: string): string {
  return money(minor, stores.find(storeId)?.currency);
}

/** Today; this year; an earlier year; exact. */
type TimeStyle = "time" | "short" | "past" | "full";

function dateFormat(style: TimeStyle, timeZone: string | undefined): Intl.DateTimeFormat {
  const key = `${texts.language} ${style} ${timeZone ?? ""}`;
  let format = dates.get(key);
  if (format === undefined) {
    const day = { month: "2-digit", day: "2-digit" } as const;
    format = new Intl.DateTimeFormat(texts.language, {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      ...(style === "time" || style === "full" ? { second: "2-digit" } : {}),
      ...(style === "time" ? {} : day),
      ...(style === "full" || style === "past" ? { year: "numeric" } : {}),
      ...(timeZone === undefined ? {} : { timeZone }),
    });
    dates.set(key, format);
  }
  return format;
}

const dayOf = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });

/** Show an instant (UTC ms): to the second when it is today, else date, hour and minute. */
export function instant(atMs: number | null, timeZone?: string): string {
  if (atMs === null) return NONE;
  const [day, today] = [dayOf.format(atMs), dayOf.format(Date.now())];
  const style = day === today ? "time" : day.slice(0, 4) === today.slice(0, 4) ? "short" : "past";
  return dateFormat(style, timeZone).format(atMs);
}

/**
 * Show an instant (UTC ms) with its full date, as tables and tooltips do.  A store's time is marked
 * with its zone where the reader's clock shows another time.
 */
export function fullInstant(atMs: number | null, timeZone?: string): string {
  if (atMs === null) return NONE;
  const shown = dateFormat("full", timeZone).format(atMs);
  if (timeZone === undefined || shown === dateFormat("full", undefined).format(atMs)) return shown;
  return `${shown} ${zoneName(atMs, timeZone)}`;
}

function zoneName(atMs: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat(texts.language, { timeZone, timeZoneName: "short" });
  return format.formatToParts(atMs).find((part) => part.type === "timeZoneName")?.value ?? timeZone;
}

/** Show the weekday of a business date "YYYY-MM-DD", free of time zones. */
export function weekday(businessDate: string): string {
  const format = new Intl.DateTimeFormat(texts.language, { weekday: "short", timeZone: "UTC" });
  return format.format(new Date(`${businessDate}T00:00:00Z`));
}

/** Show how long ago an instant was: "just now", "12 min ago". */
export function ago(atMs: number | null, nowMs: number): string {
  if (atMs === null) return t("console.never");
  const elapsed = nowMs - atMs;
  if (elapsed < 3000) return t("console.just_now");
  return t("console.ago", { age: ageText(elapsed, texts.language) });
}

/** Show how long one instant came after another, to the millisecond below ten seconds. */
export function lag(fromMs: number | null, toMs: number | null): string {
  if (fromMs === null || toMs === null || toMs < fromMs) return "";
  const elapsed = toMs - fromMs;
  if (elapsed < 1000) return `+${elapsed} ms`;
  if (elapsed < 10_000) return `+${decimalText(Math.round(elapsed / 10), 2)} s`;
  return `+${ageText(elapsed, texts.language)}`;
}
