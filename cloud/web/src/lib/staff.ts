/** Words about the people at the tills, their roles and what those may do. */

import { formatMinor } from "@tillbox/web/money.ts";
import type { Grant, Measure, RoleRow, RoleValue, Staff } from "../api/staff.ts";
import { t, texts } from "./app.svelte.ts";
import { currencyOf, stores } from "./stores.svelte.ts";

export const GRANTS = ["allowed", "approval", "denied"] as const;
export const BADGES = ["off", "with_pin", "alone"] as const;

export const valueOf = (row: RoleRow): RoleValue => row.value as unknown as RoleValue;

/** Head office's own name for a role, else ours, else its id. */
export function roleText(roleId: string, names: Readonly<Record<string, string>> = {}): string {
  return names[texts.language] ?? texts.find(`console.staff.role.${roleId}`) ?? Object.values(names)[0] ?? roleId;
}

export const rightText = (permission: string): string =>
  texts.find(`console.staff.right.${permission}`) ?? permission;
export const grantText = (grant: Grant): string => t(`console.staff.grant.${grant}`);

/** The currency in which ceilings are written: that of the chain's first store. */
export const chainCurrency = (): ReturnType<typeof currencyOf> =>
  currencyOf(stores.list[0]?.currency ?? "CNY");

export function limitText(measure: Measure, limit: number): string {
  if (measure === "off_bp") {
    const percent = new Intl.NumberFormat(texts.language, { style: "percent", maximumFractionDigits: 2 }).format(limit / 10_000);
    return t("console.staff.limit.off_bp", { limit: percent });
  }
  if (measure === "times") return t("console.staff.limit.times", { limit });
  return t(`console.staff.limit.${measure}`, { limit: formatMinor(limit, chainCurrency(), texts.language) });
}

/** The ceilings of a right in words, "" where there are none. */
export function ceilingText(value: RoleValue, permission: string): string {
  const ceiling = value.ceilings[permission] ?? {};
  return (Object.entries(ceiling) as [Measure, number][]).map(([measure, limit]) => limitText(measure, limit)).join(" · ");
}

/** The rows that say what a role is to the whole chain, always: one for each role. */
export const chainRoles = (staff: Staff): readonly RoleRow[] =>
  staff.roles
    .filter((row) => row.place === "chain" && row.from_local === "" && row.value !== null)
    .sort((one, other) => rank(one) - rank(other) || one.role_id.localeCompare(other.role_id));

/** Ours from the cashier up, then head office's own. */
const ORDER = ["cashier", "senior_cashier", "manager", "area_manager"];
const rank = (row: RoleRow): number => (ORDER.includes(row.role_id) ? ORDER.indexOf(row.role_id) : ORDER.length);

/** The others: later, or of some stores only. */
export const deviations = (staff: Staff): readonly RoleRow[] =>
  staff.roles.filter((row) => row.place !== "chain" || row.from_local !== "" || row.value === null);
