/** Zones, groups, places, categories and dated settings; each call throws ProblemError. */

import { ask, send } from "./ask.ts";

export interface Zone {
  readonly zone_id: string;
  readonly name: string;
  readonly stores: number;
}

export interface Group {
  readonly group_id: string;
  readonly name: string;
  readonly rank: number;
  readonly store_ids: readonly string[];
}

export interface Place {
  readonly store_id: string;
  readonly name: string;
  readonly time_zone: string;
  readonly zone_id: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly group_ids: readonly string[];
}

export interface Category {
  readonly category_id: string;
  readonly parent_id: string | null;
  readonly names: Readonly<Record<string, string>>;
}

export type SettingKind = "tax" | "payment" | "rounding" | "receipt" | "logo" | "box";
/** A field of a box's own file that head office may set; `is_live`: it counts without a restart. */
export interface BoxField {
  readonly name: string;
  readonly kind: "choice" | "whole" | "flag" | "time" | "numbers";
  readonly low: number;
  readonly high: number;
  readonly choices: readonly string[];
  readonly is_live: boolean;
}
export type SettingValue = Readonly<Record<string, unknown>>;

/** `value` null ends what the place said; `from_local` "" is always. */
export interface Setting {
  readonly place: string;
  readonly name: string;
  readonly from_local: string;
  readonly value: SettingValue | null;
  readonly created_by: string;
  readonly created_at_ms: number;
  readonly reason: string;
  readonly is_draft: boolean;
}

export interface MasterEvent {
  readonly at_ms: number;
  readonly by: string;
  readonly reason: string;
  readonly kind: "zone" | "group" | "store" | "category" | "staff";
  readonly subject: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

export interface Masters {
  readonly zones: readonly Zone[];
  readonly groups: readonly Group[];
  readonly places: readonly Place[];
  readonly categories: readonly Category[];
  readonly settings: readonly Setting[];
  readonly fields: readonly BoxField[];
}

export async function readMasters(): Promise<Masters> {
  const [zones, groups, places, categories, settings, fields] = await Promise.all([
    ask<{ zones: Zone[] }>("GET", "/v1/zones"),
    ask<{ groups: Group[] }>("GET", "/v1/groups"),
    ask<{ places: Place[] }>("GET", "/v1/places"),
    ask<{ categories: Category[] }>("GET", "/v1/categories"),
    ask<{ settings: Setting[] }>("GET", "/v1/settings"),
    ask<{ fields: BoxField[] }>("GET", "/v1/settings/fields"),
  ]);
  return { ...zones, ...groups, ...places, ...categories, ...settings, ...fields };
}

export type Places = Pick<Masters, "zones" | "places">;

export async function readPlaces(): Promise<Places> {
  const [zones, places] = await Promise.all([
    ask<{ zones: Zone[] }>("GET", "/v1/zones"),
    ask<{ places: Place[] }>("GET", "/v1/places"),
  ]);
  return { ...zones, ...places };
}

export const readEvents = async (): Promise<MasterEvent[]> =>
  (await ask<{ events: MasterEvent[] }>("GET", "/v1/master-events")).events;
export const readSettingHistory = async (): Promise<Setting[]> =>
  (await ask<{ settings: Setting[] }>("GET", "/v1/settings/history")).settings;

const at = (path: string, id: string): string => `/v1/${path}/${encodeURIComponent(id)}`;
const why = (reason: string): string => `?reason=${encodeURIComponent(reason)}`;

export const putZone = (id: string, name: string, reason: string): Promise<unknown> =>
  ask("PUT", at("zones", id), { name, reason });
export const dropZone = (id: string, reason: string): Promise<unknown> =>
  ask("DELETE", at("zones", id) + why(reason));
export const putGroup = (
  id: string,
  group: { name: string; rank: number; store_ids: readonly string[]; reason: string },
): Promise<unknown> => ask("PUT", at("groups", id), group);
export const dropGroup = (id: string, reason: string): Promise<unknown> =>
  ask("DELETE", at("groups", id) + why(reason));
export const putCategory = (
  id: string,
  category: { parent_id: string | null; names: Record<string, string>; reason: string },
): Promise<unknown> => ask("PUT", at("categories", id), category);
export const dropCategory = (id: string, reason: string): Promise<unknown> =>
  ask("DELETE", at("categories", id) + why(reason));
export const movePlaces = (
  store_ids: readonly string[],
  zone_id: string | null,
  reason: string,
): Promise<{ changed: number }> => ask("PUT", "/v1/places", { store_ids, zone_id, reason });
export const putSetting = (
  setting: Pick<Setting, "place" | "name" | "from_local" | "value" | "reason">,
): Promise<{ changed: number }> => ask("PUT", "/v1/settings", setting);
/** A picture in black and white, as receipts print it; keeps nothing. */
export const makeLogo = (file: Blob): Promise<{ png: string }> => send("/v1/pictures/logo", file);
