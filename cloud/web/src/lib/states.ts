/** How the states of stores and boxes look and what they are called. */

import type { Params } from "@tillbox/web/i18n.ts";
import type { Box } from "../api/types.ts";
import { t, texts } from "./app.svelte.ts";

export type Tone = "good" | "warn" | "bad" | "info" | "neutral";

/** The states of convergence, those that need a person before those that pass. */
const SHOWN: readonly { state: string; tone: Tone }[] = [
  { state: "refused", tone: "bad" },
  { state: "silent", tone: "bad" },
  { state: "lagging", tone: "warn" },
  { state: "staged", tone: "info" },
  { state: "not_shown", tone: "info" },
  { state: "current", tone: "good" },
];

export const STATES: readonly string[] = SHOWN.map((known) => known.state);

export const stateTone = (state: string): Tone =>
  SHOWN.find((known) => known.state === state)?.tone ?? "neutral";

export const stateText = (state: string): string => texts.find(`console.state.${state}`) ?? state;

/** Why a store is not on the revision: a reason of ours, an error code, or what was sent. */
export function becauseText(because: string | null, params: Params = {}): string {
  if (because === null || because === "") return "";
  return texts.find(`console.because.${because}`) ?? texts.find(`error.${because}`, params) ?? because;
}

/** The state of a box's journal at headquarters. */
export const streamText = (status: string): string =>
  texts.find(`console.stream.${status}`) ?? status;

/** Why a box's journal began. */
export const causeText = (cause: string | null): string =>
  texts.find(`console.life.cause.${cause}`) ?? t("console.life.cause.other");

/** What a box is that its store no longer sells with. */
export const standingText = (box: Box): string =>
  box.device_status === "revoked" ? t("console.stores.revoked") : t("console.stores.replaced");

const byStore = (one: { store_id: string }, other: { store_id: string }): number =>
  one.store_id.localeCompare(other.store_id, "en", { numeric: true });

/** The box that a store sells with; boxes that it replaced stay known. */
export const isActive = (box: Box): boolean => box.device_status === "active";

export const isOn = (revision: number | null, target: number | null): boolean =>
  revision !== null && target !== null && revision >= target;

/** How many stores have stored, activated and show at a till what was published for them. */
export interface Reached {
  stored: number;
  active: number;
  shown: number;
  total: number;
}

/** Order boxes: those in use, offline ones first, then those that still hold entries. */
export function boxesByUrgency(one: Box, other: Box): number {
  return (
    Number(isActive(other)) - Number(isActive(one)) ||
    Number(one.online) - Number(other.online) ||
    other.unsynced - one.unsynced ||
    byStore(one, other)
  );
}
