/** How the states of software look and what they are called. */

import type { BoxRow, Rollout } from "../api/software.ts";
import { texts } from "./app.svelte.ts";
import type { Tone } from "./states.ts";

export const BOX_STATES: readonly BoxRow["state"][] = [
  "failed",
  "silent",
  "working",
  "watching",
  "waiting",
  "untold",
  "current",
];

const BOX_TONES: Readonly<Record<BoxRow["state"], Tone>> = {
  current: "good",
  waiting: "info",
  working: "info",
  watching: "info",
  failed: "bad",
  silent: "warn",
  untold: "neutral",
};

const ROLLOUT_TONES: Readonly<Record<Rollout["state"], Tone>> = {
  rolling: "info",
  halted: "bad",
  done: "good",
  cancelled: "neutral",
};

export const boxTone = (state: BoxRow["state"]): Tone => BOX_TONES[state];
export const rolloutTone = (state: Rollout["state"]): Tone => ROLLOUT_TONES[state];

/** Why a box or a rollout is where it is: the text of its code, or the code itself. */
export const whyText = (code: string | null): string =>
  code === null || code === "" ? "" : (texts.find(`error.${code}`) ?? code);
