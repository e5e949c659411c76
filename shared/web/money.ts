/** Showing money and quantities.  Amounts are integers in minor units; nothing here adds them up. */

export interface Currency {
  /** ISO 4217 code, such as "CNY". */
  readonly code: string;
  /** Decimal places of the minor unit, such as 2. */
  readonly digits: number;
}

export const ONE_MILLI = 1000;

/** A whole amount of a note or coin needs no decimals on a button: "¥150", but "¥160.68". */
export function formatNote(minor: number, currency: Currency, language: string): string {
  const whole = decimalText(minor, currency.digits).replace(/\.0+$/, "");
  if (whole.includes(".")) return formatMinor(minor, currency, language);
  return formatMinor(Number(whole), { ...currency, digits: 0 }, language);
}

const formats = new Map<string, Intl.NumberFormat>();

function moneyFormat(currency: Currency, language: string): Intl.NumberFormat {
  const key = `${language} ${currency.code} ${currency.digits}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(language, {
      style: "currency",
      currency: currency.code,
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: currency.digits,
      maximumFractionDigits: currency.digits,
    });
    formats.set(key, format);
  }
  return format;
}

/** Write an integer with a decimal point `digits` places from its end: (1250, 2) gives "12.50". */
export function decimalText(integer: number, digits: number): string {
  if (!Number.isSafeInteger(integer)) throw new RangeError(`not an integer amount: ${integer}`);
  const sign = integer < 0 ? "-" : "";
  const figures = String(Math.abs(integer)).padStart(digits + 1, "0");
  if (digits === 0) return sign + figures;
  return `${sign}${figures.slice(0, -digits)}.${figures.slice(-digits)}`;
}

/** Show minor units with the currency's sign, in the reader's language: "¥12.50", "−$3.00". */
export function formatMinor(minor: number, currency: Currency, language: string): string {
  // Intl takes an exact decimal text; the types of ES2022 do not say so yet.
  const exact = decimalText(minor, currency.digits) as unknown as number;
  return moneyFormat(currency, language).format(exact).replace(/^-/, "−");
}

/** Show thousandths without needless noughts: 2000 gives "2", 1250 gives "1.25". */
export function formatMilli(milli: number, language: string): string {
  const key = `${language} milli`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
    formats.set(key, format);
  }
  return format.format(decimalText(milli, 3) as unknown as number);
}

/**
 * Thousandths of a number that somebody typed, null where it is none.  A comma is the decimal point
 * here, never a mark of thousands: nobody types a ton.
 */
export function parseMilli(text: string): number | null {
  const found = /^(\d{0,4})(?:[.,](\d{0,3}))?$/.exec(text.normalize("NFKC").replace(/\s/g, ""));
  const digits = `${found?.[1] ?? ""}${found?.[2] ?? ""}`;
  if (found === null || digits === "") return null;
  return Number((found[1] ?? "") + (found[2] ?? "").padEnd(3, "0"));
}

/** A weight with all the decimals that a scale shows: "0.500 kg". */
export function formatWeight(milli: number, unit: string, language: string): string {
  const key = `${language} weight`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
    formats.set(key, format);
  }
  return `${format.format(decimalText(milli, 3) as unknown as number)}\u00a0${unit}`;
}

/**
 * Append one typed key to an amount that is entered from the right, as on every till's keypad:
 * "1", "2", "5", "0" give 1, 12, 125, 1250 minor units.  Keys: "0".."9", "00", "back", "clear".
 * An entry that would pass `max` is left as it was.
 */
export function typedMinor(minor: number, key: string, max = 99_999_999): number {
  if (key === "clear") return 0;
  const text = key === "back" ? String(minor).slice(0, -1) : String(minor) + key;
  const next = text === "" ? 0 : Number(text);
  return Number.isSafeInteger(next) && next <= max ? next : minor;
}

/**
 * Read an amount that a person typed ("12.5", "12,50", "￥1,234.00") as minor units.
 * @returns null when it is not an amount, is negative or has more decimals than the currency.
 */
export function parseMinor(text: string, currency: Currency): number | null {
  const plain = text
    .normalize("NFKC")
    .replace(/[\s$¥€£]/g, "")
    .replace(/,(?=\d{3}(\D|$))/g, "")
    .replace(",", ".");
  const found = /^(\d{1,10})(?:\.(\d*))?$/.exec(plain);
  if (found === null) return null;
  const decimals = found[2] ?? "";
  if (decimals.length > currency.digits) return null;
  const minor = Number((found[1] ?? "") + decimals.padEnd(currency.digits, "0"));
  return Number.isSafeInteger(minor) ? minor : null;
}
