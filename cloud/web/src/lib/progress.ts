/** How far the stores of a release are, each of them counted once. */

import type { MeterPart } from "../ui/meter.ts";

/** Stores that reached each level: every level holds those of the next one, too. */
export interface Progress {
  total: number;
  brought: number;
  stored: number;
  active: number;
  shown: number;
  failed: number;
  silent: number;
}

export interface Step {
  state: string;
  value: number;
  tone: MeterPart["tone"];
}

/** From good to bad; what no store is in is nought.  `rest` is what the others are called. */
export function stepsOf(of: Progress, rest: "waiting" | "without"): Step[] {
  const least = (value: number): number => Math.max(0, value);
  return [
    { state: "shown", value: of.shown, tone: "good" },
    { state: "active", value: least(of.active - of.shown), tone: "info" },
    { state: "stored", value: least(of.stored - of.active), tone: "faint" },
    { state: "brought", value: least(of.brought - of.stored - of.failed - of.silent), tone: "warn" },
    { state: "failed", value: of.failed, tone: "bad" },
    { state: "silent", value: of.silent, tone: "bad" },
    { state: rest, value: least(of.total - of.brought), tone: "quiet" },
  ];
}
