/** Texts from shared/i18n/*.json, the same files that the box and the cloud read. */
import type english from "../i18n/en.json";

export type Language = "zh-CN" | "zh-TW" | "en";
export const LANGUAGES: readonly Language[] = ["zh-CN", "zh-TW", "en"];
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  "zh-CN": "简体中文",
  "zh-TW": "繁體中文",
  en: "English",
};

type FileKey = keyof typeof english;
/** Plural texts are two keys, `x_one` and `x_other`; callers name `x` and pass `count`. */
type PluralKey<Key> = Key extends `${infer Stem}_other` ? Stem : never;
export type TextKey = FileKey | PluralKey<FileKey>;
export type Params = Readonly<Record<string, string | number>>;
export type Catalogue = Readonly<Record<string, string>>;

const plurals = new Map<Language, Intl.PluralRules>();

function pluralForm(language: Language, count: number): string {
  let rules = plurals.get(language);
  if (rules === undefined) {
    rules = new Intl.PluralRules(language);
    plurals.set(language, rules);
  }
  return rules.select(count) === "one" ? "one" : "other";
}

/** Find the text of `key`, by `params.count` where it has plural forms; null when there is none. */
export function findText(
  catalogue: Catalogue,
  language: Language,
  key: string,
  params: Params = {},
): string | null {
  const count = params["count"];
  const plural =
    typeof count === "number" ? catalogue[`${key}_${pluralForm(language, count)}`] : undefined;
  const text = plural ?? catalogue[key];
  if (text === undefined) return null;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}

/** Choose the language a browser asks for, by its ordered preferences. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (/^zh-(tw|hk|mo|hant)/i.test(tag)) return "zh-TW";
    if (/^zh\b/i.test(tag)) return "zh-CN";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "zh-CN";
}

/** Show how long ago something was, in one unit: seconds, minutes, hours or days. */
export function ageText(elapsedMs: number, language: Language): string {
  const seconds = Math.max(0, Math.round(elapsedMs / 1000));
  const [value, unit] =
    seconds < 60
      ? [seconds, "second"]
      : seconds < 3600
        ? [Math.floor(seconds / 60), "minute"]
        : seconds < 86_400
          ? [Math.floor(seconds / 3600), "hour"]
          : [Math.floor(seconds / 86_400), "day"];
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: unit as string,
    unitDisplay: language === "en" ? "short" : "long",
  })
    .format(value as number)
    .replace(/^(\d+)(?=[^\d\s])/, "$1 "); // Intl sets no space before Chinese units; our texts do
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Show an instant (UTC milliseconds) as date and clock time of a time zone (IANA name).
 * A zone that the browser does not know is UTC, as on the paper of a box that does not know it. */
export function instantText(atMs: number, language: Language, timeZone: string): string {
  return new Intl.DateTimeFormat(language, {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: isTimeZone(timeZone) ? timeZone : "UTC",
  }).format(atMs);
}

/** Show a business date "YYYY-MM-DD" as a date of the reader's language, free of time zones. */
export function dateText(businessDate: string, language: Language): string {
  return new Intl.DateTimeFormat(language, {
    year: "numeric",
    month: "short",
    day: "numeric",
    weekday: "short",
    timeZone: "UTC",
  }).format(new Date(`${businessDate}T00:00:00Z`));
}
