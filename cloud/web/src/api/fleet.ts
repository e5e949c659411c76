/** The fleet's health, alerts, commands, windows and notes; each call throws ProblemError. */

import { ask } from "./ask.ts";
import { address } from "./calls.ts";
import type { components } from "./schema.gen.ts";

type Schemas = components["schemas"];

export type BoxHealth = Schemas["BoxHealth"];
export type Health = Schemas["cloud__fleet__care_schemas__Health"];
export type BoxTelemetry = Schemas["BoxTelemetry"];
export type TelemetryHour = Schemas["TelemetryHour"];
export type Alert = Schemas["Alert"];
export type Alerts = Schemas["Alerts"];
export type AlertRule = Schemas["AlertRule"];
export type AlertRules = Schemas["AlertRules"];
export type Window = Schemas["Window"];
export type NewWindow = Schemas["NewWindow"];
export type StoreNote = Schemas["StoreNote"];
export type Command = Schemas["Command"];
export type NewCommand = Schemas["NewCommand"];

export type Backups = Schemas["Backups"];
export type LateBox = Schemas["LateBox"];

export type Filter = Readonly<Record<string, string | number | undefined>>;
const at = (path: string, filter: Filter): string =>
  address(
    path,
    Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, value?.toString()])),
  );

export const readHealth = (filter: Filter): Promise<Health> =>
  ask("GET", at("/v1/fleet/health", filter));
export const readTelemetry = (dev: string, hours: number): Promise<BoxTelemetry> =>
  ask("GET", at(`/v1/fleet/boxes/${dev}/telemetry`, { hours }));

export const readAlerts = (filter: Filter): Promise<Alerts> =>
  ask("GET", at("/v1/fleet/alerts", filter));
export const acknowledge = (ids: readonly number[], note: string): Promise<{ count: number }> =>
  ask("POST", "/v1/fleet/alerts/acknowledge", { ids, note });
export const readRules = (): Promise<AlertRules> => ask("GET", "/v1/fleet/alert-rules");
export const putRule = (rule: string, change: Schemas["RuleChange"]): Promise<null> =>
  ask("PUT", `/v1/fleet/alert-rules/${rule}`, change);

export const readBackups = (): Promise<Backups> => ask("GET", "/v1/backups");

export const readWindows = async (): Promise<Window[]> =>
  (await ask<Schemas["Windows"]>("GET", "/v1/fleet/windows")).windows;
export const addWindow = (window: Partial<NewWindow>): Promise<{ id: number }> =>
  ask("POST", "/v1/fleet/windows", window);
export const endWindow = (id: number): Promise<null> => ask("DELETE", `/v1/fleet/windows/${id}`);

const notesOf = (storeId: string): string => `/v1/stores/${encodeURIComponent(storeId)}/notes`;
export const readNotes = async (storeId: string): Promise<StoreNote[]> =>
  (await ask<Schemas["StoreNotes"]>("GET", notesOf(storeId))).notes;
export const addNote = (storeId: string, note: string): Promise<{ id: number }> =>
  ask("POST", notesOf(storeId), { note });
export const removeNote = (storeId: string, id: number): Promise<null> =>
  ask("DELETE", `${notesOf(storeId)}/${id}`);

export const readCommands = async (dev: string): Promise<Command[]> =>
  (await ask<Schemas["Commands"]>("GET", at("/v1/fleet/commands", { dev }))).commands;
export const sendCommand = (command: Partial<NewCommand>): Promise<{ ids: string[] }> =>
  ask("POST", "/v1/fleet/commands", command);
export const cancelCommand = (id: string): Promise<null> =>
  ask("POST", `/v1/fleet/commands/${id}/cancel`);
export const shutOut = (dev: string, reason: string): Promise<null> =>
  ask("POST", `/v1/fleet/boxes/${encodeURIComponent(dev)}/revoke`, { reason });
export const logAddress = (id: string): string => `/v1/fleet/commands/${id}/log`;
