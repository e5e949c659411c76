/** How the states of stores and boxes look and what they are called. */

import type { TextKey } from "@tillbox/web/i18n.ts";
import type { Box, ConvergenceRow, ConvergenceState } from "../api/types.ts";
import { t, texts } from "./app.svelte.ts";

export type Tone = "good" | "warn" | "bad" | "info" | "neutral";

export const STATE_TONE: Readonly<Record<ConvergenceState, Tone>> = {
  current: "good",
  staged: "info",
  lagging: "warn",
  refused: "bad",
  silent: "bad",
};

const STATE_TEXT: Readonly<Record<ConvergenceState, TextKey>> = {
  current: "console.state.current",
  staged: "console.state.staged",
  lagging: "console.state.lagging",
  refused: "console.state.refused",
  silent: "console.state.silent",
};

/** What stands first in a list: the states that need a person before those that pass. */
const URGENCY: Readonly<Record<ConvergenceState, number>> = {
  refused: 0,
  silent: 1,
  lagging: 2,
  staged: 3,
  current: 4,
};

export const stateText = (state: ConvergenceState): string => t(STATE_TEXT[state]);

/** Why a store is not on the revision: a reason of ours, an error code, or what was sent. */
export function becauseText(because: string | null): string {
  if (because === null || because === "") return "";
  return texts.find(`console.because.${because}`) ?? texts.find(`error.${because}`) ?? because;
}

export function byUrgency(one: ConvergenceRow, other: ConvergenceRow): number {
  const [a, b] = [URGENCY[one.state], URGENCY[other.state]];
  return a === b ? one.store_id.localeCompare(other.store_id, "en", { numeric: true }) : a - b;
}

export const isOn = (revision: number | null, target: number | null): boolean =>
  revision !== null && target !== null && revision >= target;

/** Boxes that need a person first: offline ones, then those that still hold entries. */
export function boxesByUrgency(one: Box, other: Box): number {
  if (one.online !== other.online) return one.online ? 1 : -1;
  const [a, b] = [one.unsynced ?? 0, other.unsynced ?? 0];
  return a === b ? one.store_id.localeCompare(other.store_id, "en", { numeric: true }) : b - a;
}
