/** Words for the masters: places, settings and their values. */

import type { Masters, Setting, SettingKind } from "../api/masters.ts";
import { t, texts } from "./app.svelte.ts";

export const LANGUAGES = ["zh-CN", "zh-TW", "en"] as const;
export const TENDERS = ["cash", "card", "manufacturer_coupon"] as const;
export const TEXTS = ["header", "returns", "footer"] as const;
export type Lines = Readonly<Record<string, readonly string[]>>;

export const kindOf = (setting: Pick<Setting, "name">): SettingKind =>
  setting.name.startsWith("tax/") ? "tax" : (setting.name as SettingKind);

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
