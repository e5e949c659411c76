/** Words for the masters: places, settings and their values. */

import type { BoxField, Masters, Setting, SettingKind } from "../api/masters.ts";
import { t, texts } from "./app.svelte.ts";

export const LANGUAGES = ["zh-CN", "zh-TW", "en"] as const;
export const TENDERS = ["cash", "card", "manufacturer_coupon"] as const;
export const TEXTS = ["header", "returns", "footer"] as const;
export type Lines = Readonly<Record<string, readonly string[]>>;

export const STEPS = [1, 5, 10, 50, 100] as const;
export const MODES = ["nearest", "nearest_down", "down"] as const;

export const kindOf = (setting: Pick<Setting, "name">): SettingKind =>
  (setting.name.split("/", 1)[0] ?? setting.name) as SettingKind;
/** What follows the kind in a setting's name: a tax class, or a field of the boxes. */
export const partOf = (setting: Pick<Setting, "name">): string =>
  setting.name.slice(setting.name.indexOf("/") + 1);

/** What people call a field of the boxes' own file. */
export const fieldName = (name: string): string => texts.find(`console.masters.field.${name}`) ?? name;

export const stepText = (step: number): string =>
  texts.find(`console.masters.rounding_step.${step}`) ?? String(step);

export function choiceText(field: string, value: string): string {
  if (field === "box.locale") return texts.find(`console.masters.language.${value}`) ?? value;
  if (value === "") return t("console.masters.field_own_scheme");
  return new Intl.DisplayNames([texts.language], { type: "region" }).of(value) ?? value;
}

/** Numbers of "21, 24"; null for what no box would take. */
export function numbersOf(text: string, field: Pick<BoxField, "low" | "high">): number[] | null {
  const found = text.split(/[\s,，、]+/u).filter((each) => each !== "");
  if (!found.every((each) => /^\d{1,3}$/u.test(each))) return null;
  const numbers = found.map(Number);
  const are = numbers.every((each) => each >= field.low && each <= field.high);
  return are && new Set(numbers).size === numbers.length ? numbers : null;
}

function boxText(field: string, value: unknown): string {
  if (typeof value === "boolean") return t(value ? "console.masters.yes" : "console.masters.no");
  if (Array.isArray(value)) return value.join(t("console.masters.comma"));
  if (typeof value === "string" && (value === "" || !/^\d/u.test(value))) {
    return field === "self_test.at" ? t("console.masters.never") : choiceText(field, value);
  }
  return String(value);
}

export function placeName(place: string, masters: Masters): string {
  if (place === "chain") return t("console.masters.chain");
  const [kind, id = ""] = place.includes(":") ? place.split(":") : ["store", place];
  if (kind === "zone") {
    const zone = masters.zones.find((each) => each.zone_id === id);
    return t("console.masters.zone_of", { name: zone?.name ?? id });
  }
  if (kind === "group") {
    const group = masters.groups.find((each) => each.group_id === id);
    return t("console.masters.group_of", { name: group?.name ?? id });
  }
  return masters.places.find((each) => each.store_id === id)?.name ?? id;
}

/** A rate in basis points as people write it: 1300 is 13, 825 is 8.25. */
export const percent = (bp: number): string =>
  new Intl.NumberFormat(texts.language, { maximumFractionDigits: 2 }).format(bp / 100);

/** Basis points of "13" or "8.25"; null for what is no rate. */
export function basisPoints(text: string): number | null {
  const found = /^(\d{1,3})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  if (found === null) return null;
  const bp = Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
  return bp <= 10_000 ? bp : null;
}

export function valueText(setting: Setting): string {
  const value = setting.value;
  if (value === null) return t("console.masters.ended");
  const kind = kindOf(setting);
  if (kind === "tax") return `${percent(Number(value["rate_bp"]))} %`;
  if (kind === "logo") return t(value["png"] === "" ? "console.masters.logo_none_here" : "console.masters.logo_alt");
  if (kind === "box") return boxText(partOf(setting), value["value"]);
  if (kind === "rounding") {
    const step = Number(value["step_minor"]);
    const mode = MODES.find((each) => each === value["mode"]) ?? MODES[0];
    if (step === 1) return stepText(step);
    return `${stepText(step)} · ${t(`console.masters.rounding_mode.${mode}`)}`;
  }
  if (kind === "payment") {
    const taken = value["tenders"] as readonly string[];
    return TENDERS.filter((each) => taken.includes(each))
      .map((each) => t(`tender.${each}`))
      .join(t("console.masters.comma"));
  }
  return TEXTS.flatMap((part) => Object.values((value[part] ?? {}) as Lines).map((lines) => lines.join(" / "))).join(
    " · ",
  );
}
