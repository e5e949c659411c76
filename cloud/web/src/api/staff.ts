/** People at the tills and their roles; each call throws ProblemError. */

import { ask } from "./ask.ts";
import { readPlaces, type Group, type Places } from "./masters.ts";
import type { components } from "./schema.gen.ts";

type Schemas = components["schemas"];
export type Operator = Schemas["Operator"];
export type RoleRow = Schemas["RoleRow"];
export type Right = Schemas["Right"];
export type BadgeMade = Schemas["BadgeMade"];
export type Grant = "allowed" | "approval" | "denied";
export type Measure = "off_bp" | "amount_minor" | "times" | "basket_minor" | "day_minor";
export type Ceiling = Partial<Record<Measure, number>>;
export type BadgeUse = "off" | "with_pin" | "alone";

/** What a role may do, whole: see PUT /v1/till-roles. */
export interface RoleValue {
  readonly names: Readonly<Record<string, string>>;
  readonly grants: Readonly<Record<string, Grant>>;
  readonly ceilings: Readonly<Record<string, Ceiling>>;
  readonly approves: readonly string[];
  readonly badge: BadgeUse;
  readonly pin_days: number;
  readonly pin_digits: number;
}

export interface Staff extends Places {
  readonly operators: readonly Operator[];
  readonly roles: readonly RoleRow[];
  readonly rights: readonly Right[];
  readonly groups: readonly Group[];
}

export async function readStaff(): Promise<Staff> {
  const [operators, roles, places, groups] = await Promise.all([
    ask<{ operators: Operator[] }>("GET", "/v1/staff"),
    ask<{ roles: RoleRow[]; rights: Right[] }>("GET", "/v1/till-roles"),
    readPlaces(),
    ask<{ groups: Group[] }>("GET", "/v1/groups"),
  ]);
  return { ...operators, ...roles, ...places, ...groups };
}

export const readRoleHistory = async (): Promise<RoleRow[]> =>
  (await ask<{ roles: RoleRow[] }>("GET", "/v1/till-roles/history")).roles;

const operatorAt = (id: string): string => `/v1/staff/${encodeURIComponent(id)}`;

export const putOperator = (id: string, operator: Schemas["OperatorChange"]): Promise<unknown> =>
  ask("PUT", operatorAt(id), operator);
export const newBadge = (id: string, reason: string): Promise<BadgeMade> =>
  ask("POST", `${operatorAt(id)}/badge`, { reason });
export const putBadge = (id: string, code: string, reason: string): Promise<unknown> =>
  ask("PUT", `${operatorAt(id)}/badge`, { code, reason });
export const putRole = (
  id: string,
  role: { place: string; from_local: string; value: RoleValue | null; reason: string },
): Promise<unknown> => ask("PUT", `/v1/till-roles/${encodeURIComponent(id)}`, role);
